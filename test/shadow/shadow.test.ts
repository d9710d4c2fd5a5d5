import { expect, it } from 'vitest';
import type { CompareShadowOutput, SwitchOutput } from '../../src/json/shadow.ts';
import { statements } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import {
  appendEntry,
  LATER,
  rowsOf,
  SLICES,
  shadowProject,
  slicesUntil,
  type Week,
  warehouseOf,
} from '../support/shadow-project.ts';

// Slices in shadow on DuckDB: compared with the batch, read instead of it, and back.

const ENVIRONMENT = { SCORE_BATCH_NOW: LATER };
const VIEW = 'select * from marketing.shown';

async function call(folder: string, args: readonly string[], code = 0) {
  const outcome = await scoreBatch(folder, [...args, '--json'], ENVIRONMENT);
  expect({ args, code: outcome.code, stderr: outcome.code === code ? '' : outcome.stderr }).toEqual({ args, code, stderr: '' });
  return { ...outcome, data: JSON.parse(outcome.stdout.split('\n')[0] ?? '{}') as unknown };
}

const batch = (folder: string, ...weeks: readonly Week[]) =>
  weeks.reduce<Promise<unknown>>((before, week) => before.then(() => call(folder, ['--week', week])), Promise.resolve());

async function compare(folder: string, code = 0): Promise<CompareShadowOutput> {
  const { data, stdout } = await call(folder, ['compare', '--shadow'], code);
  return (code === 0 ? data : JSON.parse(stdout.slice(0, stdout.indexOf('}\n') + 1))) as CompareShadowOutput;
}

const boundaryRows = (folder: string) =>
  rowsOf(folder, "select strftime(boundary, '%m-%d'), count(*) from marketing.current_boundary group by all");

it('compares each window once, switches after enough of them, and back, and shows nobody anything before', async () => {
  const folder = await shadowProject();
  expect(await compare(folder)).toMatchObject({ comparisons: [], waiting: [] });
  await batch(folder, '1997-W11', '1997-W12');
  // As if W12 were not over yet.
  await statements(warehouseOf(folder), [
    "create table kept as from marketing.score_batch_ledger where window_label = '1997-W12'",
    "delete from marketing.score_batch_ledger where window_label = '1997-W12'",
  ]);
  await slicesUntil(folder, '1997-W11');
  await slicesUntil(folder, '1997-W12');
  await appendEntry(folder, {});
  const first = await compare(folder);
  expect(first).toMatchObject({ made: ['1997-W11'], waiting: ['1997-03-24T05:00:00.000Z'], in_row: ['1997-W11'], needed: 2 });
  expect(first.comparisons).toEqual([
    expect.objectContaining({
      ...{ publication: 1, keys: 70, missing: 0, extra: 0, compared: 70, differing: 0, largest_delta: 0, other_model: 0 },
      ...{ quarantined_in_batch: 0, quarantined_in_current: 0, within: true },
    }),
  ]);
  expect(await boundaryRows(folder)).toEqual(['["03-24","140"]']);
  const refused = await scoreBatch(folder, ['promote', '--shadow'], ENVIRONMENT);
  expect(refused.code).toBe(65);
  expect(refused.stderr).toContain(
    '1 comparison in a row is within limits, but incremental.shadow.comparisons is 2: 1 is missing',
  );

  await statements(warehouseOf(folder), ['insert into marketing.score_batch_ledger from kept']);
  expect((await scoreBatch(folder, ['promote', '--shadow'], ENVIRONMENT)).stderr).toContain(
    '1997-W12 is published, but was not compared',
  );
  expect(await compare(folder)).toMatchObject({ made: ['1997-W12'], waiting: [], in_row: ['1997-W12', '1997-W11'] });
  expect(await boundaryRows(folder)).toEqual([]);
  expect(await compare(folder)).toMatchObject({ made: [], in_row: ['1997-W12', '1997-W11'] });

  expect((await call(folder, ['promote', '--shadow', '--dry-run'])).data).toMatchObject({
    state: 'would switch',
    run_id: null,
  });
  const { data } = await call(folder, ['promote', '--shadow', '--reason', 'proven']);
  expect(data).toMatchObject({
    state: 'switched',
    reads: 'current',
    windows: ['1997-W12', '1997-W11'],
    reason: 'proven',
    forced: false,
  });
  expect((data as SwitchOutput).user).toBeTruthy();
  expect((await call(folder, ['promote', '--shadow'])).data).toMatchObject({
    state: 'already switched',
    run_id: (data as SwitchOutput).run_id,
  });
  const now = await rowsOf(folder, VIEW);
  expect(now).toHaveLength(140);
  expect(now.every((row) => row.endsWith('"current"]'))).toBe(true);
  expect((await call(folder, ['rollback', '--shadow', '--reason', 'too early'])).data).toMatchObject({
    state: 'switched',
    reads: 'batch',
  });
  expect((await call(folder, ['rollback', '--shadow'])).data).toMatchObject({ state: 'already switched', reason: 'too early' });
  expect((await rowsOf(folder, VIEW)).every((row) => row.endsWith('"batch"]'))).toBe(true);
  const states = "select state, window_label from marketing.score_batch_ledger where job = 'linear.incremental' order by all";
  expect(await rowsOf(folder, states)).toEqual([
    '["compared","1997-W11"]',
    '["compared","1997-W12"]',
    '["published","current"]',
    '["switched","batch"]',
    '["switched","current"]',
  ]);
  // No key is in the ledger.
  expect(
    await rowsOf(folder, `select 1 from marketing.score_batch_ledger where details like '%user_id%' and job = '${SLICES}'`),
  ).toEqual([]);
});

it('shows the same rows before and after slices while the current table is in shadow', async () => {
  const folder = await shadowProject();
  await batch(folder, '1997-W11');
  await slicesUntil(folder, '1997-W11');
  await appendEntry(folder, {});
  await call(folder, ['promote', '--shadow', '--force', '--reason', 'to make the view']);
  await call(folder, ['rollback', '--shadow']);
  const before = await rowsOf(folder, VIEW);
  expect(before).toHaveLength(70);
  // Bands by thresholds, whatever the batch's own table has.
  expect(
    await rowsOf(
      folder,
      "select band, count(*) from marketing.shown where (propensity >= 0.6) <> (band = 'high') group by all",
    ),
  ).toEqual([]);
  await statements(warehouseOf(folder), [
    "update marketing.current set propensity = 0.123456, band = 'low'",
    'update marketing.current set deleted = true where user_id < 10',
    'update marketing.current set propensity = null where user_id between 11 and 20',
  ]);
  await compare(folder);
  expect(await rowsOf(folder, VIEW)).toEqual(before);
  await call(folder, ['promote', '--shadow', '--force', '--reason', 'as the test says']);
  // Neither deleted users nor those without a score.
  const shown = await rowsOf(folder, 'select user_id, propensity, origin from marketing.shown');
  expect(shown.length).toBeLessThan(60);
  expect(shown.every((row) => row.includes('"0.123456","current"'))).toBe(true);
});

it('takes the newest window of each user in every layout, with model and bands', async () => {
  for (const layout of ['wide', 'narrow', 'slim'] as const) {
    const folder = await shadowProject({
      edit: (job) =>
        layout === 'wide'
          ? job
          : job.replace('  keep: [country]', `  keep: [country]\n  layout: ${layout}`).replace(/^report:\n(?: .*\n)+/m, ''),
      query: 'select user_id, a, b, country from users where signup < :window_end_date',
    });
    await batch(folder, '1997-W11');
    await statements(warehouseOf(folder), ['update users set a = a / 2']);
    await batch(folder, '1997-W12');
    await statements(warehouseOf(folder), [
      'create table marketing.current as select user_id, country, propensity from marketing.scores limit 0',
      ...['band', 'model_version', 'model_digest', 'job'].map(
        (name) => `alter table marketing.current add column ${name} varchar`,
      ),
      'alter table marketing.current add column scored_at timestamptz',
      'alter table marketing.current add column deleted boolean',
    ]);
    await appendEntry(folder, {});
    await call(folder, ['promote', '--shadow', '--force', '--reason', 'to make the view']);
    await call(folder, ['rollback', '--shadow']);
    const start = "timestamptz '1997-03-17 05:00:00+00'";
    const newest = `select user_id, country, propensity, case when propensity >= 0.6 then 'high' when propensity >= 0.5 then 'medium' else 'low' end
      from marketing.scores where window_start = ${start}`;
    const shown = await rowsOf(folder, 'select user_id, country, propensity, band from marketing.shown');
    expect(shown).toHaveLength(140);
    expect(shown).toEqual(await rowsOf(folder, newest));
    expect(
      await rowsOf(
        folder,
        'select distinct model_version, length(model_digest), scored_at is null, origin from marketing.shown',
      ),
    ).toEqual([`["1","64",${layout === 'slim'},"batch"]`]);
  }
});
