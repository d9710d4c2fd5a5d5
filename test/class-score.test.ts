import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectedFlowers, irisProject, TOLERANCE } from './support/iris-project.ts';
import { makeProject, repository, statements } from './support/project.ts';
import { rowsOf, warehouseOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';
import { threeClasses } from './support/three-classes.ts';

const VIRGINICA = { score: '  class: virginica\n' };

describe('a class as the score', () => {
  it.each(['always', 'never'])('is published as Python scores it, with freeze: %s', async (freeze) => {
    const folder = await irisProject({
      ...VIRGINICA,
      edit: (job) => job.replace('source:\n', `source:\n  freeze: ${freeze}\n`),
    });
    const { code, stderr } = await scoreBatch(folder, ['--week']);
    expect(code, stderr).toBe(0);
    const published = await rowsOf(folder, 'select flower_id, probability from garden.flowers order by flower_id');
    const expected = await expectedFlowers();
    expect(published).toHaveLength(expected.length);
    const far = expected.filter(
      ({ virginica }, i) => !(Math.abs(Number(published[i]?.probability) - Number(virginica)) <= TOLERANCE),
    );
    expect(far).toEqual([]);
  });

  it.each(['always', 'never'])('rejects a row of which another class is none, with freeze: %s', async (freeze) => {
    const folder = await makeProject({
      warehouse: [
        `create table people as select * from (values (1, 0.25, 0.5), (2, null, 0.5), (3, -0.0625, 0.5), (4, 0.6, 0.5),
          (5, 0.0, 0.5)) as people(user_id, a, b), (values (date '1997-03-10')) as days(seen)`,
      ],
      model: await threeClasses(),
      job: `name: classes
model: model
time_zone: UTC
source:
  warehouse: duckdb:data/warehouse.duckdb
  query: select * from people where seen >= :window_start_date and seen < :window_end_date
  key: [user_id]
  freeze: ${freeze}
score: { column: score, class: "1", providers: [cpu] }
sink: { table: scores }
gates: { max_quarantine_rate: 100% }
`,
    });
    await week(folder);
    // Class 1 has one half of every row.
    expect(await rowsOf(folder, 'select user_id, score from scores order by user_id')).toEqual([
      { user_id: '1', score: '0.500000' },
      { user_id: '5', score: '0.500000' },
    ]);
    const rejected = await rowsOf(folder, 'select user_id, reason, column_name from scores_quarantine order by user_id');
    expect(rejected).toEqual([
      { user_id: '2', reason: 'score is not a finite number', column_name: null },
      { user_id: '3', reason: 'score outside 0 to 1', column_name: null },
      { user_id: '4', reason: 'score outside 0 to 1', column_name: null },
    ]);
  });

  it('is another score if it is another class: a run of its own, which no drift and no comparison mixes up', async () => {
    const folder = await irisProject(VIRGINICA);
    await week(folder);
    const [first] = await rowsOf(folder, 'select any_value(run_id) as run from garden.flowers');
    const again = await week(folder);
    expect(again).toMatchObject({ state: 'published' });
    await edit(folder, 'class: virginica', 'class: setosa');
    const { stdout } = await scoreBatch(folder, ['plan', '--week', '--json']);
    const { changes } = JSON.parse(stdout);
    expect(changes.job).toEqual([{ key: 'score.class', before: '"virginica"', after: '"setosa"' }]);
    await week(folder);
    const [mean] = await rowsOf(folder, 'select avg(probability) > 0.3 as a, any_value(run_id) as run from garden.flowers');
    expect(mean?.a).toBe(true);
    const compared = await scoreBatch(folder, ['compare', String(first?.run), String(mean?.run)]);
    expect(compared.code).toBe(78);
    expect(compared.stderr).toContain('are the probability of virginica, but those of');
  });

  it('has a reference of its own, by which its drift is gated', async () => {
    const folder = await irisProject({
      ...VIRGINICA,
      edit: (job) => job.replace('gates: {', 'gates: { max_score_psi: 0.2, psi_min_rows: 50,'),
    });
    expect((await scoreBatch(folder, ['--week'])).stderr).toContain('add reference.classes.virginica to model.yaml');
    const yaml = path.join(folder, 'model/model.yaml');
    const text = await readFile(yaml, 'utf8');
    const histogram = (shares: string) => `{ edges: [0.1, 0.9], shares: ${shares} }`;
    await writeFile(yaml, `${text}reference: { score: ${histogram('[0.6, 0.1, 0.3]')} }\n`);
    expect((await scoreBatch(folder, ['--week'])).stderr).toContain('does not say which class it is about');
    await writeFile(yaml, `${text}reference: { classes: { virginca: ${histogram('[0.6, 0.1, 0.3]')} } }\n`);
    expect((await scoreBatch(folder, ['--week'])).stderr).toContain('output has no label virginca');
    await writeFile(yaml, `${text}reference: { classes: { virginica: ${histogram('[0.1, 0.1, 0.8]')} } }\n`);
    const refused = await scoreBatch(folder, ['--week']);
    expect([refused.code, refused.stderr]).toEqual([65, expect.stringContaining('PSI')]);
    await writeFile(yaml, `${text}reference: { classes: { virginica: ${histogram('[0.58, 0.16, 0.26]')} } }\n`);
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  });

  it('is what report, reasons, page and explain are about', async () => {
    const baseline = 'sepal_length,sepal_width,petal_length,petal_width\n5.8,3,4.3,1.3\n5,3.4,1.5,0.2\n';
    const digest = createHash('sha256').update(baseline).digest('hex');
    const yaml = await readFile(repository('models/iris/model.yaml'), 'utf8');
    const folder = await irisProject({
      score: '  class: virginica\n  reasons: { top: 5, features: 2 }\n',
      edit: (job) =>
        `${job}report: { table: garden.report, summary_table: garden.summary, page: "reports/iris-{window}.html" }\n`,
      files: {
        'model/baseline.csv': baseline,
        'model/model.yaml': `${yaml}baseline_rows: { file: baseline.csv, sha256: ${digest} }\n`,
      },
    });
    await week(folder);
    const [top] = await rowsOf(folder, 'select flower_id, probability, reason_1 from garden.report where rank = 1');
    const best = (await expectedFlowers()).reduce((a, b) => (Number(b.virginica) > Number(a.virginica) ? b : a));
    expect(top?.flower_id).toBe(best.flower_id);
    expect(top?.reason_1).toMatch(/^petal (length|width) in cm: \d/);
    const { code, stdout, stderr } = await scoreBatch(folder, ['explain', '--week', '--json', '--', String(top?.flower_id)]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(String(top?.reason_1));
    await edit(folder, 'class: virginica', 'class: setosa');
    const other = await scoreBatch(folder, ['explain', '--week', '--', String(top?.flower_id)]);
    expect(other.stdout).toContain('the score of the job file is now the probability of a different class');
  });

  it('is the score of a challenger too, which never stops the run if it lacks the class', async () => {
    const folder = await irisProject({ ...VIRGINICA, edit: (job) => `${job}challenger: { model: other }\n` });
    await cp(path.join(folder, 'model'), path.join(folder, 'other'), { recursive: true });
    const yaml = path.join(folder, 'other/model.yaml');
    await writeFile(yaml, (await readFile(yaml, 'utf8')).replace('name: iris', 'name: other'));
    await week(folder);
    const differences = `select count(*) as n, count(*) filter (a.probability <> b.probability) as other
      from garden.flowers a join garden.flowers_challenger b using (flower_id)`;
    expect(await rowsOf(folder, differences)).toEqual([{ n: '150', other: '0' }]);
    await edit(folder, 'model: other', `model: ${repository('models/churn')}`);
    const { code, stderr } = await scoreBatch(folder, ['--week', '--fresh']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('has no classes')]);
  });

  it('stays the same from slice to slice: for another class all flowers are scored anew', async () => {
    const folder = await irisProject({
      score: '  class: virginica\n  bands: { high: 0.9 }\n',
      edit: (job) =>
        `${job.replace(/query: .*/, 'query: select * from flowers where flower_id in (:changed_keys) and picked >= :window_start_date and loaded_at < :window_end')}
incremental: { table: garden.now, since: 1997-03-10, changes: [{ table: flowers, watermark: loaded_at }] }\n`,
    });
    await statements(warehouseOf(folder), [
      "alter table flowers add column loaded_at timestamp default timestamp '1997-03-10 06:00:00'",
    ]);
    const slice = (...flags: string[]) => scoreBatch(folder, ['--slice', ...flags]);
    expect(await slice()).toMatchObject({ code: 0 });
    const means = 'select avg(probability) > 0.2 as enough, count(*) as n from garden.now where flower_id < 50';
    expect(await rowsOf(folder, means)).toEqual([{ enough: false, n: '50' }]);
    await edit(folder, 'class: virginica', 'class: setosa');
    const refused = await slice();
    expect([refused.code, refused.stderr]).toEqual([78, expect.stringContaining('the class of the score')]);
    expect(await slice('--snapshot')).toMatchObject({ code: 0 });
    expect(await rowsOf(folder, means)).toEqual([{ enough: true, n: '50' }]);
  });

  it.each([
    ['', 'predicts one of 3 classes', 'set score.class to one of setosa, versicolor, virginica; or score.classes: all'],
    ['  class: virginca\n', 'score.class is virginca', 'did you mean virginica?'],
    ['  class: tulip\n', 'has no such class', 'choose from setosa, versicolor, virginica'],
  ])('is asked for with 78: %j', async (score, message, hint) => {
    const folder = await irisProject({ score });
    const { code, stderr } = await scoreBatch(folder, ['--week']);
    expect(code).toBe(78);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    const checked = await scoreBatch(folder, ['check']);
    expect(checked.code).toBe(78);
    expect(checked.stdout + checked.stderr).toContain(message);
  });

  it('is refused for a bundle without classes', async () => {
    const folder = await irisProject(VIRGINICA);
    await edit(folder, 'model: model', `model: ${repository('models/churn')}`);
    const { code, stderr } = await scoreBatch(folder, ['--week']);
    expect(code).toBe(78);
    expect(stderr).toContain('has no classes');
  });
});

async function week(folder: string): Promise<{ readonly state: string }> {
  const { code, stdout, stderr } = await scoreBatch(folder, ['--week', '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

async function edit(folder: string, from: string, to: string): Promise<void> {
  const file = path.join(folder, 'jobs/job.yaml');
  const text = await readFile(file, 'utf8');
  expect(text).toContain(from);
  await writeFile(file, text.replace(from, to));
}
