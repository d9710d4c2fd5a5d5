import { ScoreBatchError } from '../errors.ts';
import { seededRandom } from '../random.ts';
import { inBatches } from '../runtime/batches.ts';
import { joinRows, pickRows, spreadRows } from '../runtime/input-rows.ts';
import type { InputTensor, Session } from '../runtime/session.ts';
import type { Bundle } from './bundle.ts';
import type { Golden } from './golden.ts';
import { otherRows } from './other-rows.ts';
import { goldenValues, placeName } from './scores.ts';

/** Limits on golden rows scored alone and among others. Every run does this before it starts. */
const MAX_ALONE = 64;
const MAX_AMONG = 256;

/** Minimum number of other rows, for bundles with few golden rows. */
const MIN_OTHERS = 15;

/**
 * Kernels sum in a different order for other batch sizes, which moves a score between 0 and 1 by some 1e-7. A tolerance below
 * 1e-6 would fail on rounding; a difference above 1e-4 is not rounding, whatever `golden.tolerance` allows.
 */
const [MIN_TOLERANCE, MAX_TOLERANCE] = [1e-6, 1e-4];

/** Evidence that a model scores each row independently. */
export interface RowProof {
  /** Golden rows scored alone, and among other rows. */
  readonly alone: number;
  readonly among: number;
  /** Largest difference from the scores in file order. */
  readonly largest: number;
  readonly tolerance: number;
}

interface Subject {
  readonly bundle: Bundle;
  readonly golden: Golden;
  readonly session: Session;
  /** Result of `goldenValues` for the golden rows on this session, in file order. */
  readonly scores: readonly number[];
  /** Allowed difference: absolute up to 1, relative beyond. */
  readonly tolerance: number;
}

/** Tolerance for rounding on cpu: `golden.tolerance`, limited to 1e-6 to 1e-4. */
export function roundingTolerance({ definition }: Bundle): number {
  return Math.min(Math.max(definition.golden.tolerance, MIN_TOLERANCE), MAX_TOLERANCE);
}

/**
 * Checks that the score of a row is a function of that row. Golden rows must get the same scores a second time, in reverse
 * order, each alone, and among other rows that the description allows. The batches of a run depend on memory and workers, so any
 * other model would give different scores when the same command runs again.
 *
 * @throws ScoreBatchError `configuration` if a score differs by more than the tolerance
 */
export async function proveRows(subject: Subject): Promise<RowProof> {
  const { bundle, golden, session, scores, tolerance } = subject;
  const batched = inBatches(session);
  const width = scores.length / golden.rows;
  const score = (inputs: readonly InputTensor[]) => goldenValues(batched, inputs, bundle.signature);
  let largest = 0;
  const compare = (how: string, rows: readonly number[], found: readonly number[]): void => {
    for (const [i, after] of found.entries()) {
      const place = (rows[Math.floor(i / width)] ?? 0) * width + (i % width);
      const before = scores[place] ?? Number.NaN;
      const difference = Math.abs(after - before);
      if (before === after || (Number.isNaN(before) && Number.isNaN(after))) continue;
      if (!(difference <= tolerance * Math.max(1, Math.abs(before))))
        throw dependentRowsError(subject, how, { place, before, after });
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
      // The model may refuse these rows for reasons that the description does not state. They then prove nothing.
      if (error instanceof ScoreBatchError && error.kind === 'configuration') return undefined;
      throw error;
    });
    if (found !== undefined)
      compare(
        'among other rows',
        among,
        found.filter((_, i) => (order[Math.floor(i / width)] ?? 0) < among.length),
      );
  }
  return { alone: alone.length, among: among.length, largest, tolerance };
}

function dependentRowsError(
  { bundle, golden, session, tolerance }: Subject,
  how: string,
  { place, before, after }: { readonly place: number; readonly before: number; readonly after: number },
): ScoreBatchError {
  const what =
    how === 'a second time'
      ? 'does not give the same rows the same scores twice'
      : 'does not score rows independently: the score of a row depends on other rows of its batch';
  return new ScoreBatchError('configuration', `${bundle.file} ${what}`, {
    details: [
      `${placeName(bundle.signature, place)} of ${golden.file} scores ${before} in file order and ${after} ${how}, on ${session.provider}`,
    ],
    hint: `the tolerance is ${tolerance}; export the model for inference, without computations across the rows of a batch: a mean or softmax over axis 0, batch statistics, dynamic quantization`,
  });
}
