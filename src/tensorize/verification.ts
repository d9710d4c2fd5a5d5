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
import { isolated } from './isolate.ts';
import { type Tensorized, tensorize } from './tensorize.ts';

const RANDOM_ROWS = 2048;
const BATCH_ROWS = 512;

/** Float32 sums of the same numbers in another order differ by less, as a share of what they could add up to at most. */
const ENSEMBLE_TOLERANCE = 1e-6;

export interface Verified {
  readonly execution: Execution;
  readonly golden: number;
  readonly random: number;
  /** Rows at and around thresholds, with which each ensemble was tried by itself. */
  readonly edge: number;
  /** Largest difference of two scores. */
  readonly largest: number;
  /** How much scores may differ; of scores beyond 1, that share of them. */
  readonly tolerance: number;
}

interface Subject {
  readonly original: Bundle;
  readonly made: Bundle;
  /** The original's model, pruned as it was rewritten. */
  readonly model: OnnxModel;
  readonly ensembles: Tensorized['ensembles'];
  /** An empty folder for models that are made to be tried. */
  readonly folder: string;
}

/**
 * Compares what was made with the original, which runs on cpu: on the golden rows, on random rows, and each ensemble by itself on
 * rows at its thresholds and beyond.
 *
 * @throws ScoreBatchError `configuration` where they differ, or the provider does not serve
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
    const { name, index } = original.signature.output;
    largest = await compareModels({ ...sessions, what: 'random rows', output: name, index, inputs, tolerance });
  });
  let edge = 0;
  for (const [i, ensemble] of ensembles.entries()) {
    edge += await verifyEnsemble(model, ensemble, provider, path.join(folder, `ensemble-${i}-${provider}`), random);
  }
  return { execution, golden, random: RANDOM_ROWS, edge, largest, tolerance };
}

/** @returns how many rows it was tried with */
async function verifyEnsemble(
  model: OnnxModel,
  tensorized: Tensorized['ensembles'][number],
  provider: string,
  file: string,
  random: () => number,
): Promise<number> {
  const { ensemble, double } = tensorized;
  const { rows, width, values } = edgeRows(ensemble, random);
  const alone = isolated(model, tensorized, width);
  const output = alone.graph.outputs[0]?.name ?? '';
  const [original, made] = await Promise.all([
    saved(`${file}-original.onnx`, alone),
    saved(`${file}-made.onnx`, tensorize(alone, output).model),
  ]);
  const inputs = [
    {
      name: alone.graph.inputs[0]?.name ?? '',
      dtype: double ? ('float64' as const) : ('float32' as const),
      values,
      shape: [rows, width],
    },
  ];
  const tolerance = ENSEMBLE_TOLERANCE * Math.max(1, mostOf(ensemble));
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

async function saved(file: string, model: OnnxModel): Promise<ModelFile> {
  const bytes = serializeModel(model);
  await writeFile(file, bytes);
  return { file, digest: createHash('sha256').update(bytes).digest('hex') };
}

/** What the largest weights of all trees add up to. */
function mostOf({ nodes, weights, baseValues }: Ensemble): number {
  const byLeaf = new Map<number, number>();
  for (const { node, value } of weights) byLeaf.set(node, Math.max(byLeaf.get(node) ?? 0, Math.abs(value)));
  const trees = nodes.trees.map(({ leaves }) => leaves.reduce((most, leaf) => Math.max(most, byLeaf.get(leaf) ?? 0), 0));
  return [...trees, ...baseValues].reduce((sum, value) => sum + Math.abs(value), 0);
}
