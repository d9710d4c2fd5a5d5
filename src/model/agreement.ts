import { ScoreBatchError } from '../errors.ts';
import { inBatches } from '../runtime/batches.ts';
import { pickRows } from '../runtime/input-rows.ts';
import type { Session } from '../runtime/session.ts';
import type { Bundle } from './bundle.ts';
import type { Golden } from './golden.ts';
import { proveRows, type RowProof, roundingTolerance } from './row-proof.ts';
import { scoresOf } from './scores.ts';

/** How far scores are from those that they should be. */
export interface Agreement {
  readonly rows: number;
  /** Largest absolute difference. */
  readonly largest: number;
  readonly tolerance: number;
  /** That each row is scored by itself. */
  readonly proof: RowProof;
}

/**
 * Scores the golden rows on a session and compares them with the expected scores, then proves that each is scored by itself.
 *
 * @returns also the scores
 * @throws ScoreBatchError `configuration` where they differ by more than `golden.tolerance`, or as `proveRows`
 */
export async function agreeWithGolden(
  bundle: Bundle,
  golden: Golden,
  session: Session,
): Promise<Agreement & { readonly scores: readonly number[] }> {
  const { definition, signature, file } = bundle;
  const { tolerance } = definition.golden;
  const scores = await scoresOf(inBatches(session), golden.inputs, signature.output);
  const worst = largestDifference(scores, golden.expected);
  if (worst.difference > tolerance) {
    const what = `row ${worst.row + 1} of ${golden.file} differs by ${worst.difference}`;
    throw new ScoreBatchError('configuration', `${file} does not give the golden scores: ${what}`, {
      hint: `the tolerance is ${tolerance}; is this the model that the golden rows were made with?`,
    });
  }
  const proof = await proveRows({ bundle, golden, session, scores, tolerance: roundingTolerance(bundle) });
  return { rows: golden.rows, largest: worst.difference, tolerance, proof, scores };
}

/**
 * The canary of a provider other than cpu: the golden rows, repeated until they are a batch as a run has it, on the session
 * beside their scores on cpu. A kernel that is wrong for this model, or for batches of this size, is found before a row moves.
 *
 * @param expected scores of the golden rows on cpu
 * @param rows of the batch, at least all golden rows
 * @returns also how far its golden rows are from the expected scores
 * @throws ScoreBatchError `configuration` where they differ by more than `golden.provider_tolerance`, or as `proveRows`
 */
export async function agreeWithCpu(
  bundle: Bundle,
  golden: Golden,
  session: Session,
  expected: readonly number[],
  rows: number,
): Promise<Agreement & { readonly fromExpected: number }> {
  const { definition, signature, file } = bundle;
  const { provider_tolerance: tolerance } = definition.golden;
  const repeated = Array.from({ length: Math.max(rows, golden.rows) }, (_, row) => row % golden.rows);
  const scores = await scoresOf(inBatches(session, rows), pickRows(golden.inputs, repeated), signature.output);
  const onCpu = repeated.map((row) => expected[row] ?? Number.NaN);
  const worst = largestDifference(scores, onCpu);
  if (worst.difference > tolerance) {
    const { provider } = session;
    const row = `row ${(worst.row % golden.rows) + 1} of ${golden.file}`;
    throw new ScoreBatchError('configuration', `${provider} does not give the scores of cpu for ${file}`, {
      details: [`${row} is ${scores[worst.row]} on ${provider} and ${onCpu[worst.row]} on cpu, ${worst.difference} apart`],
      hint: `the tolerance is ${tolerance} (golden.provider_tolerance in model.yaml); score on cpu, or update the driver and onnxruntime-node`,
    });
  }
  const fromExpected = largestDifference(scores, golden.expected).difference;
  // Kernels of a device may be others for batches of another size: they may differ as they may from cpu.
  const proof = await proveRows({ bundle, golden, session, scores: scores.slice(0, golden.rows), tolerance });
  return { rows: scores.length, largest: worst.difference, tolerance, proof, fromExpected };
}

/** What is no number differs most of all; no comparison with NaN holds. */
function largestDifference(scores: readonly number[], expected: readonly number[]): { row: number; difference: number } {
  let worst = { row: 0, difference: 0 };
  for (const [row, value] of expected.entries()) {
    const difference = Math.abs((scores[row] ?? Number.NaN) - value);
    if (!(difference <= worst.difference)) worst = { row, difference: Number.isNaN(difference) ? Infinity : difference };
  }
  return worst;
}
