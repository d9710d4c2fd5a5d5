import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { virtualEnvironment } from '../../emulators/virtual-environment.ts';
import { compareWithSklearn } from './compare.ts';

const run = promisify(execFile);

/** Other cases each day; `SCORE_BATCH_TEST_SEED` names one that failed. */
const FIRST = Number(process.env.SCORE_BATCH_TEST_SEED ?? Math.floor(Date.now() / 86_400_000));

it.each([0, 1, 2].map((i) => FIRST + i))('measures are those of scikit-learn for seed %i', async (seed) => {
  const python = await virtualEnvironment('sklearn', import.meta.dirname);
  const script = path.join(import.meta.dirname, 'measure.py');
  const { stdout } = await run(python, [script, '--seed', String(seed)], { maxBuffer: 2 ** 26 });
  expect(compareWithSklearn(stdout)).toBeGreaterThan(50);
});
