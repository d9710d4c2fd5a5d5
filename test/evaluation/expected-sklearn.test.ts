import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { repository } from '../support/project.ts';
import { compareWithSklearn } from './sklearn/compare.ts';

// Written by test/evaluation/sklearn/measure.py; `npm run test:python` asks scikit-learn itself.
it('measures are those that scikit-learn gave', async () => {
  const text = await readFile(repository('test/evaluation/sklearn/expected.json'), 'utf8');
  expect(compareWithSklearn(text)).toBe(48);
});
