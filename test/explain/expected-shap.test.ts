import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { repository } from '../support/project.ts';
import { compareWithExpected } from './shap/expected.ts';

const MADE = repository('test', 'explain', 'shap');
const MODELS = readdirSync(MADE, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

it('has models of LightGBM, XGBoost and scikit-learn', () => expect(MODELS.length).toBeGreaterThan(15));

it.each(MODELS)('values of %s are those of shap', async (name) => {
  expect(await compareWithExpected(path.join(MADE, name))).toBeLessThan(1e-6);
});
