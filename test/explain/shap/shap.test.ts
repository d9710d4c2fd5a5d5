import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { virtualEnvironment } from '../../emulators/virtual-environment.ts';
import { temporaryFolder } from '../../support/project.ts';
import { compareWithExpected } from './expected.ts';

const run = promisify(execFile);

/** Other models each day; `SCORE_BATCH_TEST_SEED` names one that failed. */
const FIRST = Number(process.env.SCORE_BATCH_TEST_SEED ?? Math.floor(Date.now() / 86_400_000));

it.each([0, 1, 2].map((i) => FIRST + i))('values are those of shap for the models of seed %i', async (seed) => {
  const python = await virtualEnvironment('shap', import.meta.dirname);
  const folder = await temporaryFolder();
  await run(python, [path.join(import.meta.dirname, 'make.py'), '--seed', String(seed), '--out', folder]);
  const models = await readdir(folder);
  expect(models.length).toBeGreaterThan(15);
  for (const name of models) expect(await compareWithExpected(path.join(folder, name)), name).toBeLessThan(1e-6);
});
