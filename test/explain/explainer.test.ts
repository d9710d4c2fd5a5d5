import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { featuresOf } from '../../src/domain/signature.ts';
import { readBaseline } from '../../src/explain/baseline.ts';
import { createExplainer } from '../../src/explain/explainer.ts';
import { reasonTexts, renderReasons } from '../../src/explain/reasons.ts';
import { readTreeModel } from '../../src/explain/tree-ensemble.ts';
import { loadBundle } from '../../src/model/bundle.ts';
import { readGolden } from '../../src/model/golden.ts';
import { scoresOf } from '../../src/model/scores.ts';
import { inBatches } from '../../src/runtime/batches.ts';
import { readModel } from '../../src/runtime/model-file.ts';
import { openSession } from '../../src/runtime/session.ts';
import { repository, temporaryFolder } from '../support/project.ts';

describe('the churn model of the demo', () => {
  it('is explained by occlusion, and each reason can be read', async () => {
    const bundle = await loadBundle(repository('models', 'churn'));
    const baseline = await readBaseline(bundle);
    expect(baseline.rows).toBe(100);
    const session = await openSession(bundle, { providers: ['cpu'], requireGpu: false });
    try {
      const explainer = await createExplainer(bundle, baseline, session);
      expect(explainer).toMatchObject({ method: 'occlusion', output: 'score', why: 'it has no tree ensemble' });
      const { inputs, rows } = await readGolden(bundle);
      const values = await explainer.explain(inputs, rows);
      const width = featuresOf(bundle.signature).length;
      // The network itself, with one feature replaced by that of each baseline row.
      const score = (of: Float32Array) =>
        scoresOf(
          inBatches(session),
          [{ name: 'features', dtype: 'float32', values: of, shape: [100, width] }],
          bundle.signature.output,
        );
      const given = inputs[0]?.values as Float32Array;
      const others = baseline.inputs[0]?.values as Float32Array;
      const own = given.subarray(0, width);
      const same = await score(Float32Array.from({ length: 100 * width }, (_, i) => own[i % width] ?? 0));
      for (let j = 0; j < width; j += 1) {
        const changed = await score(
          Float32Array.from({ length: 100 * width }, (_, i) => (i % width === j ? others[i] : own[i % width]) ?? 0),
        );
        const mean = changed.reduce((sum, one, i) => sum + (same[i] ?? 0) - one, 0) / 100;
        expect(values[j]).toBeCloseTo(mean, 6);
      }
      const texts = reasonTexts(bundle, baseline);
      const reasons = renderReasons({ texts, values, rows, features: 3, cell: (row, j) => given[row * width + j] ?? null });
      for (const reason of reasons.flat())
        if (reason !== null) expect(reason).toMatch(/^[^{}]+: -?\d+(\.\d{1,2})?, usually \d/);
      expect(reasons.flat().some((reason) => reason?.startsWith('orders in the first week: '))).toBe(true);
    } finally {
      await session.close();
    }
  });
});

describe('readTreeModel', () => {
  const trees = (name: string) => repository('test', 'fixtures', 'trees', name);

  it.each<[folder: string, output: string | undefined, why: RegExp | undefined]>([
    [trees('lightgbm-missing'), 'margin', undefined],
    [trees('xgboost-missing'), 'margin', undefined],
    [trees('sklearn-forest'), 'probability', undefined],
    [trees('sklearn-boosting'), 'margin', undefined],
    [trees('sklearn-forest-two-targets'), 'score', undefined],
    [repository('bench', 'lgbm'), 'margin', undefined],
    [trees('sklearn-pipeline'), undefined, /^its trees compare what Scaler computes$/],
    [repository('bench', 'mlp'), undefined, /^it has no tree ensemble$/],
    [repository('test', 'fixtures', 'models', 'strings'), undefined, /^it has no tree ensemble$/],
  ])('%s', async (folder, output, why) => {
    const bundle = await loadBundle(folder);
    const { bytes } = await readModel(bundle.file);
    expect(readTreeModel(bytes, bundle.signature)).toMatchObject(
      output === undefined ? { why: expect.stringMatching(why ?? /./) } : { output },
    );
  });

  it('gives the first of two classes the negative of the second, and refuses a third', async () => {
    const bundle = await loadBundle(trees('lightgbm-missing'));
    const { bytes } = await readModel(bundle.file);
    const of = (index: number) => readTreeModel(bytes, { ...bundle.signature, output: { ...bundle.signature.output, index } });
    const [first, second] = [of(0), of(1)];
    if ('why' in first || 'why' in second) throw new Error('it is a tree ensemble');
    expect([...first.values].map((value) => value + 0)).toEqual([...second.values].map((value) => 0 - value));
    expect(of(2)).toEqual({ why: 'its trees have no output 2' });
  });
});

it('the model file may not change between the check and the explanation', async () => {
  const folder = path.join(await temporaryFolder(), 'bundle');
  await mkdir(folder);
  await cp(repository('models', 'churn'), folder, { recursive: true });
  const bundle = await loadBundle(folder);
  const baseline = await readBaseline(bundle);
  const session = await openSession(bundle, { providers: ['cpu'], requireGpu: false });
  try {
    await writeFile(bundle.file, 'other');
    await expect(createExplainer(bundle, baseline, session)).rejects.toMatchObject({ kind: 'configuration' });
  } finally {
    await session.close();
  }
});
