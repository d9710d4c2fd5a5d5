import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { allClasses, irisProject } from './support/iris-project.ts';
import { repository, statements } from './support/project.ts';
import { rowsOf, warehouseOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';

const VIRGINICA = { score: '  class: virginica\n' };
/** 1e-6 between the runtimes, and half of the sixth decimal to which the published number is rounded. */
const TOLERANCE = 1.5e-6;
const LABELS = ['setosa', 'versicolor', 'virginica'] as const;
const CLASSES = ['label', ...LABELS.map((label) => `p_${label}`)];
const COLUMNS = [
  ...['flower_id', 'bed', ...CLASSES, 'probability'],
  ...['job', 'window_start', 'window_end', 'run_id', 'scored_at'],
];

type Expected = Readonly<Record<'flower_id' | 'label' | 'setosa' | 'versicolor' | 'virginica', string>>;

async function expectedRows(): Promise<Expected[]> {
  const text = await readFile(repository('test/fixtures/iris/expected.csv'), 'utf8');
  return parse(text, { columns: true }) as Expected[];
}

describe('a class as the score', () => {
  it.each(['always', 'never'])('is published as Python scores it, with freeze: %s', async (freeze) => {
    const folder = await irisProject({
      ...VIRGINICA,
      edit: (job) => job.replace('source:\n', `source:\n  freeze: ${freeze}\n`),
    });
    const { code, stderr } = await scoreBatch(folder, ['--week']);
    expect(code, stderr).toBe(0);
    const published = await rowsOf(folder, 'select flower_id, probability from garden.flowers order by flower_id');
    const expected = await expectedRows();
    expect(published).toHaveLength(expected.length);
    const far = expected.filter(
      ({ virginica }, i) => !(Math.abs(Number(published[i]?.probability) - Number(virginica)) <= TOLERANCE),
    );
    expect(far).toEqual([]);
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
    expect((await scoreBatch(folder, ['--week'])).stderr).toContain('does not say of which class it is');
    await writeFile(yaml, `${text}reference: { classes: { virginca: ${histogram('[0.6, 0.1, 0.3]')} } }\n`);
    expect((await scoreBatch(folder, ['--week'])).stderr).toContain('output has no label virginca');
    await writeFile(yaml, `${text}reference: { classes: { virginica: ${histogram('[0.1, 0.1, 0.8]')} } }\n`);
    const refused = await scoreBatch(folder, ['--week']);
    expect([refused.code, refused.stderr]).toEqual([65, expect.stringContaining('PSI')]);
    await writeFile(yaml, `${text}reference: { classes: { virginica: ${histogram('[0.58, 0.16, 0.26]')} } }\n`);
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
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

describe('all classes', () => {
  it('are published as Python scores them: label and every probability, the score that of the predicted class', async () => {
    const folder = await irisProject({ edit: allClasses });
    await week(folder);
    const columns = await rowsOf(folder, "select name from pragma_table_info('garden.flowers')");
    expect(columns.map(({ name }) => name)).toEqual(COLUMNS);
    const published = await rowsOf(folder, 'select * from garden.flowers order by flower_id');
    const expected = await expectedRows();
    expect(published).toHaveLength(expected.length);
    for (const [i, row] of published.entries()) {
      const wanted = expected[i];
      expect(row.label).toBe(wanted?.label);
      for (const label of LABELS) {
        expect(Math.abs(Number(row[`p_${label}`]) - Number(wanted?.[label]))).toBeLessThanOrEqual(TOLERANCE);
      }
      expect(row.probability).toBe(row[`p_${row.label}`]);
    }
  });

  it.each([
    ['whole chunks and batches of one row', 'chunk_rows: 1', '  batch_rows: 1\n'],
    ['one chunk with batches that end inside it', 'chunk_rows: 150', '  batch_rows: 64\n'],
    ['one class as the score', 'chunk_rows: 40', '  class: virginica\n'],
  ])('are the same with %s', async (_, chunks, score) => {
    const usual = await irisProject({ edit: allClasses });
    const other = await irisProject({ score, edit: (job) => allClasses(job).replace('chunk_rows: 40', chunks) });
    for (const folder of [usual, other]) await week(folder);
    const read = (folder: string) =>
      rowsOf(folder, `select flower_id, bed, ${CLASSES.join(', ')} from garden.flowers order by all`);
    expect(await read(other)).toEqual(await read(usual));
    if (!score.includes('class:')) return;
    expect(await rowsOf(other, 'select flower_id from garden.flowers where probability <> p_virginica')).toEqual([]);
  });

  it('leave a rejected row to the quarantine, and repeat, roll back and erase like one score', async () => {
    const folder = await irisProject({ edit: allClasses });
    await statements(warehouseOf(folder), ['update flowers set petal_width = 50 where flower_id = 7']);
    expect(await week(folder)).toMatchObject({ rows: { scored: 149, quarantined: 1 } });
    const first = await tables(folder);
    expect(first.quarantine).toEqual([{ flower_id: '7', reason: 'feature out of range', column_name: 'petal_width' }]);
    await statements(warehouseOf(folder), ['update flowers set petal_length = petal_length + 1']);
    await week(folder);
    const second = await tables(folder);
    expect(second.scores).not.toEqual(first.scores);
    const rolledBack = await scoreBatch(folder, ['rollback', '--week']);
    expect(rolledBack.code, rolledBack.stderr).toBe(0);
    expect(await tables(folder)).toEqual(first);
    const erased = await scoreBatch(folder, ['erase', '--key', '12', '--reason', 'asked for']);
    expect(erased.code, erased.stderr).toBe(0);
    expect((await tables(folder)).scores).toEqual(first.scores.filter(({ flower_id }) => flower_id !== '12'));
  });

  it.each<[what: string, edit: (job: string) => string, message: string]>([
    ['the wide layout', (job) => job.replace('layout: narrow,', ''), 'only the narrow layout has columns for every class'],
    ['the slim layout', (job) => job.replace('layout: narrow', 'layout: slim'), 'sink.layout is slim: set sink.layout: narrow'],
    ['a challenger', (job) => `${job}challenger: { model: other }\n`, 'challenger: score.classes: all is published by windows'],
    [
      'a summary of no one score',
      (job) => `${job.replace('providers: [cpu]', 'bands: { high: 0.9 }')}report: { summary_table: garden.summary }\n`,
      'add score.class beside score.classes',
    ],
    ['rows that are never frozen', (job) => job.replace('source:\n', 'source:\n  freeze: never\n'), 'are frozen first'],
    ['another value', (job) => job.replace('classes: all', 'classes: some'), 'the only value is all'],
    ['an unknown class', (job) => job.replace('classes: all', 'classes: all\n  class: virginca'), 'did you mean virginica?'],
    [
      'a kept column label',
      (job) => job.replace('keep: [bed]', 'keep: [Label]'),
      'both the kept column Label and the predicted class',
    ],
    [
      'a key of that name',
      (job) => job.replace('key: [flower_id]', 'key: [P_SETOSA]'),
      'both the key column P_SETOSA and the class setosa',
    ],
    [
      'a score column of that name',
      (job) => job.replace('column: probability', 'column: p_virginica'),
      'both score.column and the class virginica',
    ],
  ])('are refused with 78 beside %s', async (_, change, message) => {
    const folder = await irisProject({ edit: (job) => change(allClasses(job)) });
    const { code, stderr } = await scoreBatch(folder, ['--week']);
    expect(code, stderr).toBe(78);
    expect(stderr).toContain(message);
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

/** What is published, but for what is of the run. */
async function tables(folder: string) {
  return {
    scores: await rowsOf(
      folder,
      `select flower_id, bed, ${CLASSES.join(', ')}, probability from garden.flowers order by flower_id`,
    ),
    quarantine: await rowsOf(folder, 'select flower_id, reason, column_name from garden.flowers_quarantine'),
  };
}
