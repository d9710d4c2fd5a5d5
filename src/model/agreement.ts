import { ScoreBatchError } from '../errors.ts';
import { inBatches } from '../runtime/batches.ts';
import { pickRows } from '../runtime/input-rows.ts';
import type { Session } from '../runtime/session.ts';
import type { Bundle } from './bundle.ts';
import type { Golden } from './golden.ts';
import { checkLabels } from './predicted-labels.ts';
import { proveRows, type RowProof, roundingTolerance } from './row-proof.ts';
import { goldenValues, placeName } from './scores.ts';

/** How far scores are from the expected ones; for a bundle with classes, the probabilities of all classes. */
export interface Agreement {
  readonly rows: number;
  /** Largest absolute difference. */
  readonly largest: number;
  readonly tolerance: number;
  /** Evidence that the score of a row only depends on that row. */
  readonly proof: RowProof;
}

/**
 * Scores the golden rows on a session and compares them with the expected scores. Then checks that the score of a row only
 * depends on that row, and that the label output, if the bundle names one, gives labels of the bundle.
 *
 * @throws ScoreBatchError `configuration` if they differ by more than `golden.tolerance`, or as `proveRows` and `checkLabels`
 */
export async function agreeWithGolden(
  bundle: Bundle,
  golden: Golden,
  session: Session,
): Promise<Agreement & { readonly scores: readonly number[] }> {
  const { definition, signature, file } = bundle;
  const { tolerance } = definition.golden;
  const scores = await goldenValues(inBatches(session), golden.inputs, signature);
  const worst = largestDifference(scores, golden.expected);
  if (worst.difference > tolerance) {
    const what = `${placeName(signature, worst.place)} of ${golden.file} differs by ${worst.difference}`;
    throw new ScoreBatchError('configuration', `${file} does not reproduce the golden scores: ${what}`, {
      hint: `the tolerance is ${tolerance}; check that the golden rows were made with this model`,
    });
  }
  await checkLabels(bundle, golden, session);
  const proof = await proveRows({ bundle, golden, session, scores, tolerance: roundingTolerance(bundle) });
  return { rows: golden.rows, largest: worst.difference, tolerance, proof, scores };
}

interface Canary {
  readonly bundle: Bundle;
  readonly golden: Golden;
  readonly session: Session;
  /** Result of `goldenValues` for the golden rows on cpu. */
  readonly expected: readonly number[];
  /** Rows of the batch; at least all golden rows are scored. */
  readonly rows: number;
}

/**
 * The canary of a provider other than cpu. Repeats the golden rows to fill a batch of the size that the run uses, and compares
 * the session's scores with those of cpu. This finds a kernel that is wrong for this model or batch size before any row moves.
 *
 * @returns also the largest difference from the expected scores
 * @throws ScoreBatchError `configuration` if they differ by more than `golden.provider_tolerance`, or as `proveRows`
 */
export async function agreeWithCpu(canary: Canary): Promise<Agreement & { readonly fromExpected: number }> {
  const { bundle, golden, session, expected, rows } = canary;
  const { definition, signature, file } = bundle;
  const { provider_tolerance: tolerance } = definition.golden;
  const repeated = Array.from({ length: Math.max(rows, golden.rows) }, (_, row) => row % golden.rows);
  const scores = await goldenValues(inBatches(session, rows), pickRows(golden.inputs, repeated), signature);
  const onCpu = scores.map((_, place) => expected[place % golden.expected.length] ?? Number.NaN);
  const worst = largestDifference(scores, onCpu);
  if (worst.difference > tolerance) {
    const { provider } = session;
    const row = `${placeName(signature, worst.place % golden.expected.length)} of ${golden.file}`;
    throw new ScoreBatchError('configuration', `${provider} does not reproduce the scores of cpu for ${file}`, {
      details: [`${row} is ${scores[worst.place]} on ${provider} and ${onCpu[worst.place]} on cpu, ${worst.difference} apart`],
      hint: `the tolerance is ${tolerance} (golden.provider_tolerance in model.yaml); score on cpu, or update the driver and onnxruntime-node`,
    });
  }
  const fromExpected = largestDifference(scores, golden.expected).difference;
  // A device may use other kernels for other batch sizes, so the tolerance towards cpu applies.
  const proof = await proveRows({ bundle, golden, session, scores: scores.slice(0, golden.expected.length), tolerance });
  return { rows: repeated.length, largest: worst.difference, tolerance, proof, fromExpected };
}

/** A NaN counts as the largest difference. The condition is negated because comparisons with NaN are false. */
function largestDifference(scores: readonly number[], expected: readonly number[]): { place: number; difference: number } {
  let worst = { place: 0, difference: 0 };
  for (const [place, value] of expected.entries()) {
    const difference = Math.abs((scores[place] ?? Number.NaN) - value);
    if (!(difference <= worst.difference)) worst = { place, difference: Number.isNaN(difference) ? Infinity : difference };
  }
  return worst;
}
