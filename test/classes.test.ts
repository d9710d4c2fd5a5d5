import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { irisProject } from './support/iris-project.ts';
import { repository } from './support/project.ts';
import { rowsOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';

const VIRGINICA = { score: '  class: virginica\n' };
/** 1e-6 between the runtimes, and half of the sixth decimal to which the published number is rounded. */
const TOLERANCE = 1.5e-6;

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
