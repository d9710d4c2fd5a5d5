import { createHash } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { readBaseline } from '../../../src/explain/baseline.ts';
import { createExplainer } from '../../../src/explain/explainer.ts';
import { loadBundle } from '../../../src/model/bundle.ts';
import { openSession } from '../../../src/runtime/session.ts';
import { temporaryFolder } from '../../support/project.ts';

type Rows = readonly (readonly (number | null)[])[];

/** What make.py writes beside a model. */
interface Expected {
  readonly by: 'shap' | 'definition';
  readonly input: string;
  readonly dtype: 'float32' | 'float64';
  readonly output: { readonly name: string; readonly index: number };
  readonly background: Rows;
  readonly rows: Rows;
  readonly values: readonly (readonly number[])[];
}

/** Explains the rows of a folder of make.py through a bundle. @returns the largest difference from the expected values */
export async function compareWithExpected(folder: string): Promise<number> {
  const expected = JSON.parse(await readFile(path.join(folder, 'expected.json'), 'utf8')) as Expected;
  const bundle = await loadBundle(await makeBundle(folder, expected));
  const session = await openSession(bundle, { providers: ['cpu'], requireGpu: false });
  try {
    const explainer = await createExplainer(bundle, await readBaseline(bundle), session);
    expect({ method: explainer.method, why: explainer.why }).toEqual({ method: 'shapley', why: undefined });
    const numbers = expected.rows.flat().map((value) => value ?? Number.NaN);
    const values = expected.dtype === 'float32' ? Float32Array.from(numbers) : Float64Array.from(numbers);
    const shape = [expected.rows.length, expected.rows[0]?.length ?? 0];
    const found = await explainer.explain(
      [{ name: expected.input, dtype: expected.dtype, values, shape }],
      expected.rows.length,
    );
    const wanted = expected.values.flat();
    expect(found).toHaveLength(wanted.length);
    // A feature must matter somewhere, or zeros would pass.
    expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(0.01);
    return Math.max(...wanted.map((value, i) => Math.abs((found[i] ?? Number.NaN) - value)));
  } finally {
    await session.close();
  }
}

async function makeBundle(from: string, { input, dtype, output, background }: Expected): Promise<string> {
  const folder = await temporaryFolder();
  await copyFile(path.join(from, 'model.onnx'), path.join(folder, 'model.onnx'));
  const names = (background[0] ?? []).map((_, i) => `c${i}`);
  const rows = [names.join(','), ...background.map((row) => row.map((value) => value ?? '').join(',')), ''].join('\n');
  const digest = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
  const yaml = {
    name: path.basename(from),
    version: '1',
    sha256: digest(await readFile(path.join(folder, 'model.onnx'))),
    inputs: [{ name: input, dtype, shape: ['N', names.length], columns: names.map((name) => ({ name, nullable: true })) }],
    output,
    baseline_rows: { sha256: digest(rows) },
  };
  await writeFile(path.join(folder, 'baseline.csv'), rows);
  await writeFile(path.join(folder, 'model.yaml'), JSON.stringify(yaml));
  return folder;
}
