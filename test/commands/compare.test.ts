import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { CheckedLimit } from '../../src/compare/comparison.ts';
import type { Comparison } from '../../src/domain/comparison.ts';
import { demoProject } from '../support/demo-project.ts';
import { KNOWN, labelledProject, publishWeek } from '../support/labelled-project.ts';
import { linearProject } from '../support/linear-project.ts';
import { statements } from '../support/project.ts';
import { rowsOf, warehouseOf } from '../support/published.ts';
import { scoreBatch } from '../support/score-batch.ts';

type Compared = Comparison & { readonly limits: readonly CheckedLimit[] };

async function compare(folder: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await scoreBatch(folder, ['compare', ...args, '--json'], environment);
  return {
    code,
    stderr,
    found: JSON.parse(stdout) as Compared & { readonly error: { readonly message: string; readonly hint: string } },
  };
}

/** Publishes 1997-W11 twice, the second time from other rows, and keeps the rows of the first run as a publication would. */
async function publishedTwice(
  options: Parameters<typeof labelledProject>[0] = {},
): Promise<{ folder: string; first: string; second: string }> {
  const folder = await labelledProject(options);
  const file = warehouseOf(folder);
  await publishWeek(folder);
  const [one] = await rowsOf(folder, 'select any_value(run_id) as id, count(*) as n from marketing.scores');
  await statements(file, [
    'delete from users where user_id >= 90',
    'update users set a = a + 1 where user_id % 4 = 0',
    'insert into users select user_id + 1000, signup, a, b, country from users where user_id < 5',
  ]);
  const { code, stderr } = await scoreBatch(folder, ['-q', '--week', '--fresh']);
  expect(code, stderr).toBe(0);
  const [other] = await rowsOf(folder, 'select any_value(run_id) as id from marketing.scores');
  return { folder, first: String(one?.id), second: String(other?.id) };
}

it('compares two runs of a window as SQL over their tables says, with the outcomes of users in both', async () => {
  const { folder, first, second } = await publishedTwice();
  const { code, found } = await compare(folder, [first, '1997-W11', '--largest', '3'], { SCORE_BATCH_NOW: KNOWN });
  expect(code).toBe(0);
  expect(found.a).toMatchObject({ name: first, run_id: first, rows: 'replaced', publication: 1, users: 100 });
  expect(found.b).toMatchObject({ name: '1997-W11', run_id: second, rows: 'published', publication: 2, users: 95 });
  const both = `(select r.user_id, r.propensity::double as a, s.propensity::double as b, r.band as from_band, s.band as to_band
    from marketing.scores_replaced r join marketing.scores s using (user_id))`;
  const [sums] = await rowsOf(
    folder,
    `select count(*)::integer as users, avg(b - a) as mean, avg(abs(b - a)) as mean_absolute, max(abs(b - a)) as max_absolute,
       count(*) filter (a = b)::integer as equal from ${both}`,
  );
  expect(found.coverage).toMatchObject({ both: 90, only_a: 10, only_b: 5, of_a: 0.9 });
  expect(found.differences).toMatchObject({ users: sums?.users, equal: sums?.equal });
  for (const name of ['mean', 'mean_absolute', 'max_absolute'] as const)
    expect(found.differences?.[name]).toBeCloseTo(Number(sums?.[name]), 8);
  expect(found.bands?.moves).toEqual(
    await rowsOf(
      folder,
      `select from_band as "from", to_band as "to", count(*)::integer as users from ${both} group by from_band, to_band
       order by list_position(['high', 'medium', 'low'], from_band), list_position(['high', 'medium', 'low'], to_band)`,
    ),
  );
  expect(found.largest.map(({ key }) => key)).toEqual(
    (await rowsOf(folder, `select user_id::varchar as key from ${both} order by abs(b - a) desc, user_id limit 3`)).map(
      ({ key }) => [key],
    ),
  );
  const [auc] = await rowsOf(
    folder,
    `with o as (select b.*, came_true from ${both} b join outcomes using (user_id))
     select avg(case when p.a > n.a then 1.0 when p.a = n.a then 0.5 else 0 end) as a,
       avg(case when p.b > n.b then 1.0 when p.b = n.b then 0.5 else 0 end) as b
     from (select * from o where came_true) p cross join (select * from o where not came_true) n`,
  );
  expect(found.outcomes).toMatchObject({ by: 'paired', a: { users: 90 }, b: { users: 90 } });
  expect(found.outcomes?.a.auc).toBeCloseTo(Number(auc?.a), 8);
  expect(found.outcomes?.auc_difference?.value).toBeCloseTo(Number(auc?.b) - Number(auc?.a), 8);

  const early = await compare(folder, [first, second], { SCORE_BATCH_NOW: '1997-03-20T08:00:00-05:00' });
  expect(early.found.outcomes).toBeNull();
  expect(early.found.notes).toEqual([expect.stringContaining('the outcomes of 1997-W11 are not known before')]);

  await statements(warehouseOf(folder), ['delete from marketing.scores_replaced']);
  const gone = await compare(folder, [first, '1997-W11']);
  expect(gone).toMatchObject({
    code: 65,
    found: { error: { message: expect.stringContaining(`the rows of run ${first} are gone`) } },
  });
  expect(gone.found.error.hint).toContain('sink.history');
  // Before anything is scored, and so before the bundle is looked for.
  const aside = await compare(folder, [first, '--model', 'nowhere']);
  expect([aside.code, aside.found.error.message]).toEqual([65, gone.found.error.message]);
});

it('compares a window and a replaced run of which a user was erased', async () => {
  const { folder, first, second } = await publishedTwice();
  const erased = await scoreBatch(folder, ['erase', '--key', '37', '--reason', 'request 4711']);
  expect(erased.code, erased.stderr).toBe(0);
  const { code, stderr, found } = await compare(folder, [first, '1997-W11']);
  expect(code, stderr).toBe(0);
  expect(found.a).toMatchObject({ run_id: first, rows: 'replaced', publication: 1, users: 99 });
  expect(found.b).toMatchObject({ run_id: second, rows: 'published', publication: 2, users: 94 });
  expect(found.coverage).toMatchObject({ both: 89, only_a: 10, only_b: 5 });
  await statements(warehouseOf(folder), ['delete from marketing.scores where user_id = 38']);
  const changed = await compare(folder, [first, '1997-W11']);
  expect(changed.found.error.message).toContain('holds 93 rows of 1997-W11');
});

it('ends with 65 beyond a limit, with each number, and shows the comparison all the same', async () => {
  const limits = 'compare: { min_coverage: 0.95, max_mean_change: 0.5, max_band_moves: 0.01, max_psi: 5, max_auc_drop: 0.9 }\n';
  const { folder, first } = await publishedTwice({ edit: (job) => `${job}${limits}` });
  const { code, stderr, found } = await compare(folder, [first, '1997-W11']);
  expect(code).toBe(65);
  expect(found.limits.map(({ name, state }) => [name, state])).toEqual([
    ['min_coverage', 'beyond'],
    ['max_mean_change', 'within'],
    ['max_band_moves', 'beyond'],
    ['max_psi', 'within'],
    ['max_auc_drop', 'not checked'],
  ]);
  expect(stderr).toContain('warning: min_coverage: 0.9 is less than 0.95');
  const text = await scoreBatch(folder, ['compare', first, '1997-W11']);
  expect(text.code).toBe(65);
  expect(text.stdout).toContain('90 users are in both; 10 only in A, 5 only in B.');
});

it('compares two weeks of new users by their distributions, and a week with another model on its rows', async () => {
  const folder = await demoProject();
  for (const week of ['W10', 'W11']) expect((await scoreBatch(folder, ['-q', '--week', `1997-${week}`])).code).toBe(0);
  const weeks = await compare(folder, ['1997-W10', '1997-W11']);
  expect(weeks.code).toBe(0);
  expect(weeks.found).toMatchObject({
    coverage: { both: 0, only_a: 2201, only_b: 2053 },
    differences: null,
    ranks: null,
    bands: null,
  });
  expect(weeks.found.psi).toBeLessThan(0.1);

  // The same network under another name: golden rows and scores stay, so nothing differs but the model.
  await cp(path.join(folder, 'model'), path.join(folder, 'model-v2'), { recursive: true });
  const yaml = path.join(folder, 'model-v2', 'model.yaml');
  await writeFile(yaml, (await readFile(yaml, 'utf8')).replace('version: "1997-03-10"', 'version: "v2"'));
  await statements(warehouseOf(folder), [`insert into orders values (950000, date '1997-03-12', 2, 30)`]);
  const before = await rowsOf(folder, 'select count(*) as entries from marketing.score_batch_ledger');
  const page = path.join(folder, 'compared.html');
  const aside = await compare(folder, ['1997-W11', '--model', 'model-v2', '--page', page]);
  expect(aside.code, aside.stderr).toBe(0);
  expect(aside.found).toMatchObject({
    b: { name: 'model-v2', rows: 'scored aside', publication: null, model: { version: 'v2' } },
    coverage: { both: 2053, only_a: 0, only_b: 1 },
    differences: { equal: 2053 },
    ranks: { top_decile_overlap: 1, spearman: 1 },
  });
  expect(aside.found.notes.join()).toContain('0 users of A are gone, 1 user is new');
  // Nothing is left but what was there.
  expect(await rowsOf(folder, 'select count(*) as entries from marketing.score_batch_ledger')).toEqual(before);
  const gc = await scoreBatch(folder, ['gc', '--json']);
  expect(gc.stdout).not.toContain('aside');
  const html = await readFile(page, 'utf8');
  expect(html).toContain("default-src 'none'");
  expect(html).toContain('1 only in B');
});

it('scores the rows of a window with a second model, as SQL computes its formula', async () => {
  const folder = await labelledProject();
  await publishWeek(folder);
  await secondModel(folder);
  const { code, stderr, found } = await compare(folder, ['1997-W11', '--model', 'model-v2'], { SCORE_BATCH_NOW: KNOWN });
  expect(code, stderr).toBe(0);
  const [sums] = await rowsOf(
    folder,
    `select avg(now) as mean_b, avg(abs(now - before)) as mean_absolute from (select s.propensity::double as before,
       round(1 / (1 + exp(0.25 * coalesce(u.b::double, 0) - 0.75 * u.a::double)), 6) as now
       from marketing.scores s join users u using (user_id))`,
  );
  expect(found).toMatchObject({ coverage: { both: 100, only_a: 0, only_b: 0 }, outcomes: { by: 'paired', a: { users: 100 } } });
  expect(found.b.mean_score).toBeCloseTo(Number(sums?.mean_b), 6);
  expect(found.differences?.mean_absolute).toBeCloseTo(Number(sums?.mean_absolute), 6);
});

/** A bundle whose model is sigmoid(0.75 a − 0.25 b), where that of the project has 0.5. */
async function secondModel(folder: string): Promise<void> {
  const to = path.join(folder, 'model-v2');
  await cp(path.join(folder, 'model'), to, { recursive: true });
  const model = await readFile(path.join(to, 'model.onnx'));
  model.writeFloatLE(0.75, model.indexOf(Buffer.from([0, 0, 0, 0x3f])));
  await writeFile(path.join(to, 'model.onnx'), model);
  const golden = (await readFile(path.join(to, 'golden.csv'), 'utf8')).trim().split('\n').slice(1);
  const rows = golden.map((line) => {
    const [a = '', b = ''] = line.split(',');
    return `${a},${b},${(1 / (1 + Math.exp(0.25 * Number(b) - 0.75 * Number(a)))).toFixed(9)}`;
  });
  await writeFile(path.join(to, 'golden.csv'), ['a,b,expected_score', ...rows, ''].join('\n'));
  const yaml = await readFile(path.join(to, 'model.yaml'), 'utf8');
  const digest = createHash('sha256').update(model).digest('hex');
  await writeFile(
    path.join(to, 'model.yaml'),
    yaml.replace(/sha256: "\w+"/, `sha256: "${digest}"`).replace('version: "1"', 'version: "2"'),
  );
}

it('refuses what cannot be compared', async () => {
  const folder = await linearProject();
  const refused = async (args: readonly string[], code: number, message: string) => {
    const { code: found, found: data } = await compare(folder, args);
    expect([found, data.error.message]).toEqual([code, expect.stringContaining(message)]);
  };
  await publishWeek(folder);
  await refused(['1997-W11'], 64, 'compare needs a second side');
  await refused(['1997-W11', '1997-W11', '--model', 'model'], 64, 'B and --model cannot be combined');
  await refused(['1997-W11', '1997-W11'], 64, 'A and B are both 1997-W11');
  await refused(['1997-W11', '1997-W10'], 65, 'nothing is published for 1997-W10');
  await refused(['1997-W11', 'no-such-run'], 64, 'linear has no window or run no-such-run');
  await refused(['1997-W11', '--model', 'nowhere'], 78, 'nowhere');
  const [run] = await rowsOf(folder, 'select any_value(run_id) as id from marketing.scores');
  await refused(['1997-W11', String(run?.id)], 64, 'are the same publication');
  await writeFile(path.join(folder, 'precious.txt'), 'not a page');
  // Before anything is compared, and so before the bundle is looked for.
  await refused(['1997-W11', '--model', 'nowhere', '--page', 'precious.txt'], 64, 'is not an HTML page');
  expect(await readFile(path.join(folder, 'precious.txt'), 'utf8')).toBe('not a page');
});

it('gives the rows of each of two jobs in one warehouse the bands of their own job', async () => {
  const folder = await linearProject();
  await publishWeek(folder);
  const job = await readFile(path.join(folder, 'jobs/job.yaml'), 'utf8');
  // Its rows have no bands.
  await writeFile(
    path.join(folder, 'jobs/narrow.yaml'),
    job
      .replace('name: linear', 'name: narrow')
      .replace('bands: { high: top 10%, medium: top 30% }', 'bands: { high: top 40% }')
      .replace('sink:\n', 'sink:\n  layout: narrow\n')
      .replace('marketing.scores', 'marketing.narrow')
      .replace(/report:[\s\S]*(?=gates:)/, ''),
  );
  const published = await scoreBatch(folder, ['-q', '--job', 'jobs/narrow.yaml', '--week']);
  expect(published.code, published.stderr).toBe(0);
  const flags = ['--job', 'jobs/job.yaml', '--with-job', 'jobs/narrow.yaml'];
  const { code, stderr, found } = await compare(folder, ['1997-W11', '1997-W11', ...flags]);
  expect(code, stderr).toBe(0);
  expect(found.differences).toMatchObject({ users: 100, equal: 100 });
  expect(found.bands?.moves).toEqual([
    { from: 'high', to: 'high', users: 10 },
    { from: 'medium', to: 'high', users: 20 },
    { from: 'low', to: 'high', users: 10 },
    { from: 'low', to: 'low', users: 60 },
  ]);
});

it('compares the windows of two jobs in two warehouses, unless keys or score columns differ', async () => {
  const { folder, first } = await publishedTwice();
  const job = await readFile(path.join(folder, 'jobs/job.yaml'), 'utf8');
  const write = (name: string, edit: (text: string) => string) =>
    writeFile(path.join(folder, `jobs/${name}.yaml`), edit(job).replace('name: linear', `name: ${name}`));
  // A job that publishes the same users to a file of its own.
  await write('other', (text) =>
    text.replace('sink:\n', 'sink:\n  warehouse: duckdb:data/other.duckdb\n').replace('reports/linear', 'reports/other'),
  );
  const flags = ['--job', 'jobs/job.yaml', '--with-job', 'jobs/other.yaml'];
  const published = await scoreBatch(folder, ['-q', '--job', 'jobs/other.yaml', '--week']);
  expect(published.code, published.stderr).toBe(0);
  const inOne = await compare(folder, [first, '1997-W11', '--job', 'jobs/job.yaml']);
  const streamed = await compare(folder, [first, '1997-W11', ...flags]);
  expect(streamed.code, streamed.stderr).toBe(0);
  const { b: _, largest: one, ...measures } = inOne.found;
  const { b, largest: other, ...others } = streamed.found;
  expect(others).toEqual(measures);
  expect(b).toMatchObject({ job: 'other', users: 95 });
  expect(other.map(({ difference }) => difference)).toEqual(one.map(({ difference }) => difference));

  await write('renamed', (text) =>
    text
      .replace('column: propensity', 'column: risk')
      .replace('marketing.scores', 'marketing.renamed')
      .replace('marketing.report', 'marketing.renamed_report')
      .replace('marketing.summary', 'marketing.renamed_summary')
      .replace('reports/linear', 'reports/renamed'),
  );
  await write('keyed', (text) =>
    text
      .replace('key: [user_id]', 'key: [user_id, country]')
      .replace('keep: [country]', 'keep: [a]')
      .replace('segments: [country]', 'segments: []')
      .replace('marketing.scores', 'marketing.keyed')
      .replace('marketing.report', 'marketing.keyed_report')
      .replace('marketing.summary', 'marketing.keyed_summary')
      .replace('reports/linear', 'reports/keyed')
      .replace(/labels:[\s\S]*$/, ''),
  );
  for (const name of ['renamed', 'keyed']) {
    const made = await scoreBatch(folder, ['-q', '--job', `jobs/${name}.yaml`, '--week']);
    expect(made.code, made.stderr).toBe(0);
  }
  const renamed = await compare(folder, ['1997-W11', '1997-W11', '--job', 'jobs/job.yaml', '--with-job', 'jobs/renamed.yaml']);
  expect(renamed).toMatchObject({
    code: 78,
    found: { error: { message: '1997-W11 has its scores in the column propensity, but 1997-W11 has them in risk' } },
  });
  const keyed = await compare(folder, ['1997-W11', '1997-W11', '--job', 'jobs/job.yaml', '--with-job', 'jobs/keyed.yaml']);
  expect(keyed).toMatchObject({
    code: 78,
    found: {
      error: {
        message: expect.stringContaining('has the key user_id (integer), but 1997-W11 has user_id (integer), country (string)'),
      },
    },
  });
  const [run] = await rowsOf(folder, 'select any_value(run_id) as id from marketing.renamed');
  const foreign = await compare(folder, ['1997-W11', String(run?.id), '--job', 'jobs/job.yaml']);
  expect(foreign).toMatchObject({
    code: 64,
    found: { error: { message: expect.stringContaining('belongs to the job renamed, not to linear') } },
  });
});
