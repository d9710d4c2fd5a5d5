import { setImmediate as pause } from 'node:timers/promises';
import { ScoreBatchError } from '../errors.ts';
import type { Bundle } from '../model/bundle.ts';
import { scoresOf } from '../model/scores.ts';
import { inBatches } from '../runtime/batches.ts';
import { readModel } from '../runtime/model-file.ts';
import type { InputTensor, Session } from '../runtime/session.ts';
import type { Baseline } from './baseline.ts';
import { matrixOf } from './matrix.ts';
import { occlusion } from './occlusion.ts';
import { createShapley } from './shapley.ts';
import { type RawOutput, readTreeModel } from './tree-ensemble.ts';
import { layOut } from './tree-layout.ts';

/** Rows to pass through one tree at a time. Bounds the memory of their matrix. */
const ROWS_AT_ONCE = 8192;

/** Milliseconds of work before the process may handle something else, such as a signal. */
const PAUSE_EVERY = 100;

export interface Explainer {
  /** `shapley` for tree ensembles, exact; `occlusion` for all other models. */
  readonly method: 'shapley' | 'occlusion';
  /** Why occlusion is used, as a clause. */
  readonly why: string | undefined;
  /** What the values are differences of: the margin (log-odds) of boosted trees, a forest's probability, or the score. */
  readonly output: RawOutput;
  /**
   * How far each feature moves a row's output away from that of the baseline rows; positive values raise the score.
   *
   * @param tensors encoded rows, from `Encoder.tensors(rows)`
   * @returns `[rows, features]`, row-major, in the order of `featuresOf(signature)`
   */
  explain(tensors: readonly InputTensor[], rows: number): Promise<Float64Array>;
}

/**
 * @param session for occlusion; tree ensembles are read from the bundle's model file
 * @throws ScoreBatchError `configuration` if the model file cannot be read or changed
 */
export async function createExplainer(bundle: Bundle, baseline: Baseline, session: Session): Promise<Explainer> {
  const { signature } = bundle;
  const { bytes, digest } = await readModel(bundle.file);
  if (digest !== bundle.digest) {
    throw new ScoreBatchError('configuration', `${bundle.file} changed after it was checked`, {
      hint: 'run the same command again once the file is final',
    });
  }
  const model = readTreeModel(bytes, signature);
  const layout = 'why' in model ? model : layOut(model);
  if ('why' in model || 'why' in layout) {
    const batched = inBatches(session, undefined, { even: signature.classes !== undefined });
    const score = (inputs: readonly InputTensor[]) => scoresOf(batched, inputs, signature.output);
    return {
      method: 'occlusion',
      why: 'why' in layout ? layout.why : undefined,
      output: 'score',
      explain: (inputs, rows) => occlusion({ score, background: baseline.inputs, inputs, rows }),
    };
  }
  const addTree = createShapley(layout, matrixOf(baseline.inputs, 0, baseline.rows, model.rounds));
  return {
    method: 'shapley',
    why: undefined,
    output: model.output,
    async explain(inputs, rows) {
      const width = inputs.reduce((sum, { shape }) => sum + (shape[1] ?? 1), 0);
      const into = new Float64Array(rows * width);
      let paused = performance.now();
      for (let from = 0; from < rows; from += ROWS_AT_ONCE) {
        const matrix = matrixOf(inputs, from, Math.min(ROWS_AT_ONCE, rows - from), model.rounds);
        for (let tree = 0; tree + 1 < layout.trees.length; tree += 1) {
          addTree(tree, matrix, into.subarray(from * width, (from + matrix.rows) * width));
          if (performance.now() - paused < PAUSE_EVERY) continue;
          await pause();
          paused = performance.now();
        }
      }
      return into;
    },
  };
}
