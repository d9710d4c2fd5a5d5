import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { type Bundle, loadBundle } from '../../src/model/bundle.ts';
import { randomInputs } from '../../src/model/random-rows.ts';
import { seededRandom } from '../../src/random.ts';
import { readModel } from '../../src/runtime/model-file.ts';
import { placeNodes } from '../../src/runtime/placement.ts';
import { tensorizeBundle } from '../../src/tensorize/bundle.ts';
import { repository, temporaryFolder } from '../support/project.ts';

const TREES = repository('test', 'fixtures', 'trees');

/** Operators of a bundle's model that run on cpu in a session on WebGPU. */
async function onCpu({ file, signature }: Bundle): Promise<string[]> {
  const inputs = randomInputs(signature, 4, seededRandom(1));
  const nodes = await placeNodes(await readModel(file), 'webgpu', inputs, [signature.output.name]);
  return [...new Set(nodes.filter(({ provider }) => provider === 'cpu').map(({ operator }) => operator))];
}

// What is made is compared with the original on golden rows, on random ones, and each ensemble by itself at its thresholds.
it.each(readdirSync(TREES))('%s gives as tensor operations what it gives as trees, and runs whole on WebGPU', async (name) => {
  const out = path.join(await temporaryFolder(), 'tensors');
  const original = await loadBundle(path.join(TREES, name));
  const providers = inject('webgpu') ? ['webgpu'] : [];
  const { bundle, verified } = await tensorizeBundle(original, { out, providers, force: false, by: 'a test' });
  expect(verified.map(({ execution }) => execution.provider)).toEqual(['cpu', ...providers]);
  for (const { golden, random, edge } of verified) {
    expect({ golden, random }).toEqual({ golden: 30, random: 2048 });
    expect(edge).toBeGreaterThanOrEqual(256);
  }
  expect(bundle.definition.origin).toEqual({ sha256: original.digest, version: '1', by: 'a test' });
  if (!inject('webgpu')) return;
  const trees = /regressor|targets/.test(name) ? 'TreeEnsembleRegressor' : 'TreeEnsembleClassifier';
  expect(await onCpu(original)).toContain(trees);
  const left = await onCpu(bundle);
  // Shaders have no float64.
  if (name === 'sklearn-double') expect(left).toContain('LessOrEqual');
  else expect(left).toEqual([]);
});
