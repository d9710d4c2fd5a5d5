import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ExplainedOptions, explainedProject } from './support/explained-project.ts';
import { linearProject } from './support/linear-project.ts';
import { statements } from './support/project.ts';
import { publishedTables, rowsOf, warehouseOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';
import { transcript } from './support/transcript.ts';

// What is refused of a job that asks for reasons or a holdout, before a row moves; and windows in which there is nothing to explain.

const REASONS = 'score:\n  reasons: { top: 10 }\n';
const HOLDOUT = 'report:\n  holdout: 20%\n';

async function plan(folder: string): Promise<string> {
  const outcome = await scoreBatch(folder, ['plan', '--week']);
  expect(await publishedTables(folder)).not.toContain('marketing.scores');
  return transcript(outcome, folder);
}

it('a bundle without baseline rows is refused', async () => {
  expect(await plan(await linearProject({ edit: (job) => job.replace('score:\n', REASONS) }))).toMatchInlineSnapshot(`
    "exit 78
    stderr:
    error: <project>/model/model.yaml names no baseline rows
      reasons compare each row with baseline rows
    hint: \`score-batch model reference FOLDER --csv FILE --write\` makes baseline.csv from rows of the training set"
  `);
});

it.each<[title: string, options: ExplainedOptions, message: RegExp]>([
  [
    'that the model would quarantine',
    { baseline: 'a,b\n1000,1\n' },
    /row 1 of .*baseline\.csv would be quarantined: feature out of range/,
  ],
  ['that lack a feature', { baseline: 'a\n1\n' }, /baseline\.csv has no column b/],
  ['that are none', { baseline: 'a,b\n' }, /baseline\.csv has no rows/],
])('baseline rows %s are refused', async (_, options, message) => {
  const text = await plan(await explainedProject(options));
  expect(text).toMatch(/^exit 78\n/);
  expect(text).toMatch(message);
  expect(text).toMatch(/^hint: /m);
});

it('baseline rows that changed are refused', async () => {
  const folder = await explainedProject();
  await writeFile(path.join(folder, 'model', 'baseline.csv'), 'a,b\n2,2\n');
  expect(await plan(folder)).toMatch(/^exit 78\nstderr:\nerror: the digest of .*baseline\.csv does not match model\.yaml/);
});

it('a placeholder that does not exist is refused', async () => {
  const editModel = (yaml: string) => yaml.replace('name: a,', 'name: a, reason: "{valeu} of a",');
  expect(await plan(await explainedProject({ editModel }))).toMatchInlineSnapshot(`
    "exit 78
    stderr:
    error: the model description <project>/model/model.yaml has a problem
      <project>/model/model.yaml:12:9: inputs.0.columns.0: a: {valeu} is not a placeholder of a reason: did you mean value?
    hint: \`score-batch model inspect <project>/model/model.onnx\` prints columns and categories; docs/model-bundle.md explains model.yaml"
  `);
});

it.each(['narrow', 'slim'])('the %s layout has no column for reasons, and none for a holdout', async (layout) => {
  const edit = (change: [string, string]) => (job: string) =>
    job
      .replace(...change)
      .replace('sink:\n', `sink:\n  layout: ${layout}\n`)
      .replace(/ {2}(table: marketing\.report|summary_table: .*|csv: .*)\n/g, '');
  const reasons = await plan(await linearProject({ edit: edit(['score:\n', REASONS]) }));
  expect(reasons).toMatch(/^exit 78\n/);
  expect(reasons).toContain(`score.reasons: only the wide layout has a column for it, and sink.layout is ${layout}`);
  const holdout = await plan(await linearProject({ edit: edit(['report:\n', HOLDOUT]) }));
  expect(holdout).toMatch(/^exit 78\n/);
  expect(holdout).toContain(`report.holdout: only the wide layout has a column for it, and sink.layout is ${layout}`);
});

it.each(['reason_1', 'REASON_2', 'holdout'])('a kept column %s is refused where score-batch adds one', async (column) => {
  const folder = await explainedProject({
    reasons: '{ top: 5, features: 2 }',
    query: `select user_id, a, b, country as ${column} from users where signup >= :window_start_date and signup < :window_end_date`,
    edit: (job) => job.replaceAll('country', column).replace('report:\n', HOLDOUT),
  });
  const text = await plan(folder);
  expect(text).toMatch(/^exit 78\n/);
  expect(text).toContain(`sink.keep.0: ${column} is reserved for a column that score-batch writes`);
});

it('tables without the new columns are refused with the difference, also by plan', async () => {
  const folder = await linearProject();
  expect((await scoreBatch(folder, ['--week', '-q'])).code).toBe(0);
  const withReasons = await explainedProject({ edit: (job) => job.replace('report:\n', HOLDOUT) });
  await copyFile(warehouseOf(folder), warehouseOf(withReasons));
  for (const command of [['plan', '--week'], ['--week']]) {
    const { code, stderr } = await scoreBatch(withReasons, command);
    expect(code).toBe(78);
    for (const table of ['scores', 'report']) {
      for (const column of ['reason_1', 'reason_2', 'holdout'])
        expect(stderr).toMatch(new RegExp(`marketing\\.${table}.*${column}`));
    }
  }
  await statements(
    warehouseOf(withReasons),
    ['scores', 'report'].flatMap((table) =>
      ['reason_1 varchar', 'reason_2 varchar', 'holdout boolean'].map(
        (column) => `alter table marketing.${table} add column ${column}`,
      ),
    ),
  );
  const { code, stderr } = await scoreBatch(withReasons, ['--week']);
  expect(code, stderr).toBe(0);
  expect(await rowsOf(withReasons, 'select count(reason_1) as n, count(holdout) as m from marketing.report')).toEqual([
    { n: '15', m: '100' },
  ]);
});

describe('a window with', () => {
  const empty = "select 1 as user_id, date '1997-03-12' as signup, 1.0 as a, 1.0 as b, 'US' as country where false";

  it.each(['never', 'always'] as const)('no rows is published without reasons (source.freeze: %s)', async (freeze) => {
    const folder = await explainedProject({ freeze, users: empty, edit: (job) => job.replace('min_rows: 1', 'min_rows: 0') });
    const { code, stderr } = await scoreBatch(folder, ['--week', '--allow-empty']);
    expect(code, stderr).toBe(0);
    expect(await rowsOf(folder, 'select count(*) as n from marketing.scores')).toEqual([{ n: '0' }]);
    const explain = await scoreBatch(folder, ['explain', '1', '--week']);
    expect(explain.code).toBe(64);
  });

  it('one row explains it', async () => {
    const folder = await explainedProject({
      reasons: '{ top: 100000 }',
      users: "select 1 as user_id, date '1997-03-12' as signup, 2.0 as a, null::double as b, 'US' as country",
    });
    const { code, stderr } = await scoreBatch(folder, ['--week']);
    expect(code, stderr).toBe(0);
    expect(await rowsOf(folder, 'select reason_1, reason_2, reason_3 from marketing.report')).toEqual([
      { reason_1: 'a 2, usually 1', reason_2: 'b no value, usually 0.2', reason_3: null },
    ]);
  });
});
