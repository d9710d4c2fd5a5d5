import { expect, it } from 'vitest';
import { allClasses, irisProject } from '../support/iris-project.ts';
import { once } from '../support/kept.ts';
import { rowsOf } from '../support/published.ts';
import type { Phase } from './effects.ts';
import { run } from './kill.ts';

// The effects of a run are those of one that publishes a score, see `EFFECTS`; here the chunks have columns of classes.

const KILLS: readonly (readonly [name: string, pattern: RegExp, occurrence: number, phase: Phase])[] = [
  ['while the second chunk is written', /^duckdb COPY .* POSITIONAL JOIN /, 2, 'during'],
  ['once it is written', /^duckdb COPY .* POSITIONAL JOIN /, 2, 'after'],
  ['while scores are published', /^duckdb INSERT INTO \S+"flowers" /, 1, 'after'],
  ['once they are', /^duckdb COMMIT$/, 1, 'after'],
];

const uninterrupted = once(async () => {
  const folder = await irisProject({ edit: allClasses });
  expect(await run({ folder, environment: {} })).toMatchObject({ code: 0 });
  return await contents(folder);
});

it.each(KILLS)(
  'killed %s, the same command publishes the same label and probabilities',
  async (_, pattern, occurrence, phase) => {
    const project = { folder: await irisProject({ edit: allClasses }), environment: {} };
    const killed = await run(project, { pattern, occurrence, phase });
    expect(killed.signal, killed.stderr).toBe('SIGKILL');
    const { code, stderr } = await run(project);
    expect(code, stderr).toBe(0);
    expect(await contents(project.folder)).toEqual(await uninterrupted());
  },
);

async function contents(folder: string) {
  const columns = 'flower_id, bed, label, p_setosa, p_versicolor, p_virginica, probability';
  const published = await rowsOf(folder, `select ${columns} from garden.flowers order by flower_id`);
  expect(published).toHaveLength(150);
  return published;
}
