import { cp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { scoreBatch } from './support/score-batch.ts';
import { minusMean, spoilt } from './support/spoilt-model.ts';

it.each([
  ['run', ['--week', '1997-W11']],
  ['plan', ['--week', '1997-W11']],
  ['check', []],
  ['model', ['verify', 'model']],
])('%s refuses a model whose score of a row depends on other rows of its batch', async (command, args) => {
  const folder = await linearProject();
  const { folder: bundle } = await spoilt(minusMean(1));
  await cp(bundle, path.join(folder, 'model'), { recursive: true, force: true });
  const { code, stdout, stderr } = await scoreBatch(folder, [command, ...args]);
  expect(code).toBe(78);
  expect(`${stdout}${stderr}`).toContain('does not score rows independently');
  // `check` tries whether the folder can be written.
  expect(await readdir(path.join(folder, 'reports')).catch(() => [])).toEqual([]);
});
