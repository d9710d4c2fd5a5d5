import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Execution } from '../domain/execution.ts';
import type { Bundle } from '../model/bundle.ts';
import { randomInputs } from '../model/random-rows.ts';
import { verifyBundle } from '../model/verify.ts';
import { type OnnxModel, serializeModel } from '../onnx/model.ts';
import { seededRandom } from '../random.ts';
import { inBatches } from '../runtime/batches.ts';
import type { ModelFile } from '../runtime/model-file.ts';
import { openSession, type Session } from '../runtime/session.ts';
import { compareModels } from './comparison.ts';
import { edgeRows } from './edge-rows.ts';
import type { Ensemble } from './ensemble.ts';
import { isolateEnsemble } from './isolate.ts';
import { type Tensorized, tensorize } from './tensorize.ts';

const RANDOM_ROWS = 2048;
const BATCH_ROWS = 512;

/** Float32 sums in a different order differ by less than this share of the largest possible sum. */
const ENSEMBLE_TOLERANCE = 1e-6;

export interface Verified {
  readonly execution: Execution;
  readonly golden: number;
  readonly random: number;
  /** Rows at and around thresholds on which each ensemble was tried alone. */
  readonly edge: number;
  /** Largest difference between scores. */
  readonly largest: number;
  /** Allowed difference: absolute up to 1, relative beyond. */
  readonly tolerance: number;
}

interface Subject {
  readonly original: Bundle;
  readonly made: Bundle;
  /** The original's model, pruned like the rewritten one. */
  readonly model: OnnxModel;
  readonly ensembles: Tensorized['ensembles'];
  /** An empty folder for temporary models. */
  readonly folder: string;
}

/**
 * Compares the new bundle with the original, which runs on cpu: on the golden rows, on random rows, and each ensemble alone on
 * rows around its thresholds.
 *
 * @throws ScoreBatchError `configuration` if they differ, or the provider cannot run the model
 */
export async function verifyTensorized(
  { original, made, model, ensembles, folder }: Subject,
  provider: string,
): Promise<Verified> {
  const { rows: golden, execution } = await verifyBundle(made, { providers: [provider], requireGpu: false });
  const random = seededRandom(Number.parseInt(original.digest.slice(0, 8), 16));
  const { tolerance: onCpu, provider_tolerance } = original.definition.golden;
  const tolerance = provider === 'cpu' ? onCpu : onCpu + provider_tolerance;
  let largest = 0;
  await withBoth(original, made, provider, async (sessions) => {
    const inputs = randomInputs(original.signature, RANDOM_ROWS, random);
    const { output, classes } = original.signature;
    // For a bundle with classes, compare the whole row.
    const index = classes === undefined ? { index: output.index } : {};
    largest = await compareModels({ ...sessions, what: 'random rows', output: output.name, ...index, inputs, tolerance });
  });
  let edge = 0;
  for (const [i, ensemble] of ensembles.entries()) {
    const file = path.join(folder, `ensemble-${i}-${provider}`);
    edge += await verifyEnsemble({ model, tensorized: ensemble, provider, file, random });
  }
  return { execution, golden, random: RANDOM_ROWS, edge, largest, tolerance };
}

interface EnsembleSubject {
  readonly model: OnnxModel;
  readonly tensorized: Tensorized['ensembles'][number];
  readonly provider: string;
  /** Path of the temporary models, without a suffix. */
  readonly file: string;
  readonly random: () => number;
}

/** @returns the number of rows it was tried on */
async function verifyEnsemble({ model, tensorized, provider, file, random }: EnsembleSubject): Promise<number> {
  const { ensemble, double } = tensorized;
  const { rows, width, values } = edgeRows(ensemble, random);
  const alone = isolateEnsemble(model, tensorized, width);
  const output = alone.graph.outputs[0]?.name ?? '';
  const [original, made] = await Promise.all([
    saveModel(`${file}-original.onnx`, alone),
    saveModel(`${file}-made.onnx`, tensorize(alone, output).model),
  ]);
  const inputs = [
    {
      name: alone.graph.inputs[0]?.name ?? '',
      dtype: double ? ('float64' as const) : ('float32' as const),
      values,
      shape: [rows, width],
    },
  ];
  const tolerance = ENSEMBLE_TOLERANCE * Math.max(1, largestSum(ensemble));
  await withBoth(original, made, provider, async (sessions) => {
    await compareModels({ ...sessions, what: 'rows at thresholds', output, inputs, tolerance });
  });
  return rows;
}

async function withBoth(
  original: ModelFile,
  made: ModelFile,
  provider: string,
  work: (sessions: { original: Session; made: Session }) => Promise<void>,
): Promise<void> {
  const reference = await openSession(original, { providers: ['cpu'], requireGpu: false });
  try {
    const session = await openSession(made, { providers: [provider], requireGpu: false });
    const batched = { original: inBatches(reference, BATCH_ROWS), made: inBatches(session, BATCH_ROWS) };
    await work(batched).finally(() => session.close());
  } finally {
    await reference.close();
  }
}

async function saveModel(file: string, model: OnnxModel): Promise<ModelFile> {
  const bytes = serializeModel(model);
  await writeFile(file, bytes);
  return { file, digest: createHash('sha256').update(bytes).digest('hex') };
}

/** The sum of the largest absolute weights of all trees. */
function largestSum({ nodes, weights, baseValues }: Ensemble): number {
  const byLeaf = new Map<number, number>();
  for (const { node, value } of weights) byLeaf.set(node, Math.max(byLeaf.get(node) ?? 0, Math.abs(value)));
  const trees = nodes.trees.map(({ leaves }) => leaves.reduce((most, leaf) => Math.max(most, byLeaf.get(leaf) ?? 0), 0));
  return [...trees, ...baseValues].reduce((sum, value) => sum + Math.abs(value), 0);
}
