import { describe, expect, it } from 'vitest';
import { allClasses, expectedFlowers, irisProject, TOLERANCE } from './support/iris-project.ts';
import { statements } from './support/project.ts';
import { rowsOf, warehouseOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';

const LABELS = ['setosa', 'versicolor', 'virginica'] as const;
const CLASSES = ['label', ...LABELS.map((label) => `p_${label}`)];
const COLUMNS = [
  ...['flower_id', 'bed', ...CLASSES, 'probability'],
  ...['job', 'window_start', 'window_end', 'run_id', 'scored_at'],
];

describe('all classes', () => {
  it('are published as Python scores them: label and every probability, the score that of the predicted class', async () => {
    const folder = await irisProject({ edit: allClasses });
    await week(folder);
    const columns = await rowsOf(folder, "select name from pragma_table_info('garden.flowers')");
    expect(columns.map(({ name }) => name)).toEqual(COLUMNS);
    const published = await rowsOf(folder, 'select * from garden.flowers order by flower_id');
    const expected = await expectedFlowers();
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
    ['a challenger', (job) => `${job}challenger: { model: other }\n`, 'challenger: score.classes: all works only for windows'],
    [
      'a summary of no one score',
      (job) => `${job.replace('providers: [cpu]', 'bands: { high: 0.9 }')}report: { summary_table: garden.summary }\n`,
      'add score.class beside score.classes',
    ],
    ['rows that are never frozen', (job) => job.replace('source:\n', 'source:\n  freeze: never\n'), 'freezes rows first'],
    ['another value', (job) => job.replace('classes: all', 'classes: some'), 'the only valid value is all'],
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
