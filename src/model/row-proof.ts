import { ScoreBatchError } from '../errors.ts';
import { seededRandom } from '../random.ts';
import { inBatches } from '../runtime/batches.ts';
import { joinRows, pickRows, spreadRows } from '../runtime/input-rows.ts';
import type { InputTensor, Session } from '../runtime/session.ts';
import type { Bundle } from './bundle.ts';
import type { Golden } from './golden.ts';
import { otherRows } from './other-rows.ts';
import { scoresOf } from './scores.ts';

/** Golden rows that are scored each by itself, and among others: a run does this before it starts. */
const MAX_ALONE = 64;
const MAX_AMONG = 256;

/** Other rows at least, so that a single golden row is among a crowd. */
const MIN_OTHERS = 15;

/**
 * Kernels add in another order for a batch of another size, which moves a score between 0 and 1 by some 1e-7. Below 1e-6 nothing is
 * asked for; above 1e-4 it is no rounding any more, however far from the expected scores a bundle lets its own be.
 */
const [MIN_TOLERANCE, MAX_TOLERANCE] = [1e-6, 1e-4];

/** How a model was found to score each row by itself. */
export interface RowProof {
  /** Golden rows that were scored alone, and among other rows. */
  readonly alone: number;
  readonly among: number;
  /** Largest difference from the score in the order of the file. */
  readonly largest: number;
  readonly tolerance: number;
}

interface Subject {
  readonly bundle: Bundle;
  readonly golden: Golden;
  readonly session: Session;
  /** Scores of the golden rows on this session in the order of the file. */
  readonly scores: readonly number[];
  /** How much the score of a row may differ; of scores beyond 1, that share of them. */
  readonly tolerance: number;
}

/** What rounding may do to a score on cpu: as much as `golden.tolerance`, from 1e-6 to 1e-4. */
export function roundingTolerance({ definition }: Bundle): number {
  return Math.min(Math.max(definition.golden.tolerance, MIN_TOLERANCE), MAX_TOLERANCE);
}

/**
 * Proves that the score of a row is a function of that row: golden rows get the same scores a second time, in reverse
 * order, each alone, and among other rows that the description allows. A run cuts its rows into batches as memory and workers have it, so that
 * any other model would give other scores when the same command runs again.
 *
 * @throws ScoreBatchError `configuration` where a score differs by more than the tolerance
 */
export async function proveRows(subject: Subject): Promise<RowProof> {
  const { bundle, golden, session, scores, tolerance } = subject;
  const { index, name } = bundle.signature.output;
  const batched = inBatches(session);
  const score = (inputs: readonly InputTensor[]) => scoresOf(batched, inputs, { index, name });
  let largest = 0;
  const compare = (how: string, rows: readonly number[], found: readonly number[]): void => {
    for (const [i, row] of rows.entries()) {
      const [before = Number.NaN, after = Number.NaN] = [scores[row], found[i]];
      const difference = Math.abs(after - before);
      if (before === after || (Number.isNaN(before) && Number.isNaN(after))) continue;
      if (!(difference <= tolerance * Math.max(1, Math.abs(before)))) throw notOfOneRow(subject, how, { row, before, after });
      largest = Math.max(largest, difference);
    }
  };
  const all = Array.from({ length: golden.rows }, (_, row) => row);
  compare('a second time', all, await score(golden.inputs));
  const reversed = all.toReversed();
  compare('in reverse order', reversed, await score(pickRows(golden.inputs, reversed)));
  const alone = spreadRows(golden.rows, MAX_ALONE);
  for (const row of alone) compare('alone', [row], await score(pickRows(golden.inputs, [row])));
  const among = spreadRows(golden.rows, MAX_AMONG);
  const picked = pickRows(golden.inputs, among);
  const random = seededRandom(Number.parseInt(bundle.digest.slice(0, 8), 16));
  const others = Math.max(among.length, MIN_OTHERS);
  for (const group of otherRows(bundle.signature, picked, others, random)) {
    const order = Array.from({ length: others }, (_, i) => [...(i < among.length ? [i] : []), among.length + i]).flat();
    const found = await score(pickRows(joinRows(picked, group), order)).catch((error: unknown) => {
      // The model does not take these rows, which the description may not know; then they prove nothing.
      if (error instanceof ScoreBatchError && error.kind === 'configuration') return undefined;
      throw error;
    });
    if (found !== undefined)
      compare(
        'among other rows',
        among,
        found.filter((_, i) => (order[i] ?? 0) < among.length),
      );
  }
  return { alone: alone.length, among: among.length, largest, tolerance };
}

function notOfOneRow(
  { bundle, golden, session, tolerance }: Subject,
  how: string,
  { row, before, after }: { readonly row: number; readonly before: number; readonly after: number },
): ScoreBatchError {
  const what =
    how === 'a second time'
      ? 'does not give the same rows the same scores twice'
      : 'does not score each row by itself: the score of a row depends on the rows beside it';
  return new ScoreBatchError('configuration', `${bundle.file} ${what}`, {
    details: [
      `row ${row + 1} of ${golden.file} scores ${before} in the order of the file and ${after} ${how}, on ${session.provider}`,
    ],
    hint: `the tolerance is ${tolerance}; export the model for inference, without anything that is computed over the rows of a batch: a mean or a softmax over axis 0, batch statistics, dynamic quantization`,
  });
}
