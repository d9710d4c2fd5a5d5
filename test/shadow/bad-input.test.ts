import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { statements } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { appendEntry, LATER, rowsOf, shadowProject, slicesUntil, warehouseOf } from '../support/shadow-project.ts';

const call = (folder: string, ...args: readonly string[]) => scoreBatch(folder, args, { SCORE_BATCH_NOW: LATER });

async function published(edit?: (job: string) => string) {
  const folder = await shadowProject(edit === undefined ? {} : { edit });
  expect((await call(folder, '--week', '1997-W11')).code).toBe(0);
  await slicesUntil(folder, '1997-W11');
  return folder;
}

const change = (folder: string, ...list: readonly string[]) => statements(warehouseOf(folder), list);
const kept = (folder: string) => rowsOf(folder, 'select count(*) from marketing.current_boundary');

it('ends with 65 as long as the newest comparison is not within limits, and compares a window again once it is published again', async () => {
  const folder = await published();
  await change(folder, 'update marketing.current_boundary set propensity = propensity + 0.000002 where user_id = 1');
  const first = await call(folder, 'compare', '--shadow');
  expect(first.code).toBe(65);
  expect(first.stdout).toContain('1997-W11, publication 1: NOT within limits; 70 scores compared, largest difference 0.000002');
  expect(first.stdout).toContain('0 of 2 comparisons in a row are within limits');
  expect(first.stderr).toContain('warning: 1997-W11: 1 score differs by more than 0.000001, at most by 0.000002');
  const [, statement = ''] = /query that shows the users: (.*)/.exec(first.stdout) ?? [];
  expect(await rowsOf(folder, statement)).toHaveLength(1);
  expect(await kept(folder)).toEqual(['["70"]']);
  // The gate of a schedule stays shut, and nothing is compared twice.
  expect((await call(folder, 'compare', '--shadow')).code).toBe(65);
  await appendEntry(folder, {});
  const refused = await call(folder, 'promote', '--shadow');
  expect(refused.code).toBe(65);
  expect(refused.stderr).toContain('1997-W11: 1 score differs by more than 0.000001');

  await change(
    folder,
    'update marketing.current_boundary set propensity = propensity - 0.000002 where user_id = 1',
    "update users set country = 'NL' where user_id = 1",
  );
  expect((await call(folder, '--week', '1997-W11')).code).toBe(0);
  const again = await call(folder, 'compare', '--shadow');
  expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
  expect(again.stdout).toContain('1997-W11, publication 2: within limits');
  expect(await kept(folder)).toEqual(['["0"]']);
});

it('counts scores of other models apart, and a comparison of nothing else proves nothing', async () => {
  const folder = await published((job) => job.replace('comparisons: 2', 'comparisons: 1'));
  await change(folder, "update marketing.current_boundary set model_digest = 'other', propensity = propensity / 2");
  const { code, stdout } = await call(folder, 'compare', '--shadow');
  expect(code).toBe(0);
  expect(stdout).toContain('0 scores compared, largest difference 0; 70 of another model');
  await appendEntry(folder, {});
  const refused = await call(folder, 'promote', '--shadow');
  expect(refused.stderr).toContain(
    '1997-W11: no scores on the two sides are of the same model, so the comparison proves nothing',
  );
  // Somebody who knows better says why.
  expect((await call(folder, 'promote', '--shadow', '--force')).code).toBe(64);
  const forced = await call(folder, 'promote', '--shadow', '--force', '--reason', 'the model is new');
  expect(forced.code).toBe(0);
  expect(forced.stdout).toContain('overruled   1997-W11: no scores on the two sides are of the same model');
});

it('does not check users that the batch lacks if a window before is missing, and says so', async () => {
  const folder = await published((job) => job.replace('since: 1997-03-10', 'since: 1997-03-01'));
  await change(
    folder,
    'insert into marketing.current_boundary select 9999, propensity, reason, model_digest, boundary, job from marketing.current_boundary limit 1',
  );
  const { code, stdout } = await call(folder, 'compare', '--shadow');
  expect(code).toBe(0);
  expect(stdout).toContain('not checked: not all windows since incremental.since are published');
});

it('refuses a switch without slices, after an old one, and over a batch that is ahead', async () => {
  const folder = await published((job) => job.replace('comparisons: 2', 'comparisons: 1'));
  expect((await call(folder, 'compare', '--shadow')).code).toBe(0);
  expect((await call(folder, 'promote', '--shadow')).stderr).toContain('no slice has been published');
  await appendEntry(folder, { recordedAt: new Date(Date.now() - 7_201_000).toISOString() });
  expect((await call(folder, 'promote', '--shadow')).stderr).toContain('more than two intervals ago');
  await appendEntry(folder, {
    publication: 2,
    state: 'published',
    runId: 'slice-2',
    rows: { frozen: 0, scored: 0, quarantined: 0 },
  });
  expect((await call(folder, '--week', '1997-W12')).code).toBe(0);
  const ahead = await call(folder, 'promote', '--shadow');
  expect({ code: ahead.code, stderr: ahead.stderr }).toEqual({
    code: 65,
    stderr: expect.stringContaining('1997-W12 is published, but was not compared'),
  });
  expect((await call(folder, 'rollback', '--shadow')).stdout).toContain('shows the scores of the batch already');
});

it('compares an empty window, which proves nothing, and refuses rows that somebody changed', async () => {
  const folder = await published((job) =>
    job.replace('comparisons: 2', 'comparisons: 1').replace('min_rows: 1', 'min_rows: 0'),
  );
  await change(folder, "delete from users where signup >= date '1997-03-17'");
  const empty = await call(folder, '--week', '1997-W12', '--allow-empty');
  expect({ code: empty.code, stderr: empty.code === 0 ? '' : empty.stderr }).toEqual({ code: 0, stderr: '' });
  await slicesUntil(folder, '1997-W12');
  const { code, stdout, stderr } = await call(folder, 'compare', '--shadow');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('1997-W12, publication 1: within limits; 0 scores compared');
  expect(stdout).toContain('1 of 1 comparisons in a row are within limits');

  const other = await published();
  await change(other, 'insert into marketing.current_boundary from marketing.current_boundary');
  const twice = await call(other, 'compare', '--shadow');
  expect(twice.code).toBe(65);
  expect(twice.stderr).toContain('marketing.current_boundary has more than one row of a user at the end of 1997-W11');
});

it('refuses a view that is of others, a job without shadow, and flags that are for something else', async () => {
  const folder = await published((job) => job.replace('comparisons: 2', 'comparisons: 1'));
  expect((await call(folder, 'compare', '--shadow')).code).toBe(0);
  await appendEntry(folder, {});
  await change(folder, 'create table marketing.shown (user_id bigint)');
  const taken = await call(folder, 'promote', '--shadow');
  expect(taken.code).toBe(78);
  expect(taken.stderr).toContain('marketing.shown is a table, not a view');
  expect(await rowsOf(folder, "select 1 from marketing.score_batch_ledger where state = 'switched'")).toEqual([]);
  for (const args of [
    ['compare', '1997-W11', '--shadow'],
    ['compare', '--shadow', '--largest', '3'],
    ['compare'],
    ['rollback', '--shadow', '--week', '1997-W11'],
  ])
    expect({ args, code: (await call(folder, ...args)).code }).toEqual({ args, code: 64 });
  const file = path.join(folder, 'jobs', 'job.yaml');
  const job = await readFile(file, 'utf8');
  await writeFile(file, job.replace('view: marketing.shown', 'view: marketing.current'));
  expect((await call(folder, 'compare', '--shadow')).stderr).toContain('it would be the current table or its boundary table');
  await writeFile(file, job.slice(0, job.indexOf('incremental:')));
  for (const command of ['compare', 'promote', 'rollback']) {
    const { code, stderr } = await call(folder, command, '--shadow');
    expect({ code, stderr }).toEqual({
      code: 78,
      stderr: expect.stringContaining('has no incremental.shadow in its job file'),
    });
  }
});
