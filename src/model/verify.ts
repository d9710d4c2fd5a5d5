import type { Execution } from '../domain/execution.ts';
import type { SessionOptions } from '../runtime/session.ts';
import type { Bundle } from './bundle.ts';
import type { RowProof } from './row-proof.ts';
import { tryBundle } from './try-bundle.ts';

export interface Verification {
  readonly execution: Execution;
  readonly rows: number;
  /** Largest absolute difference from an expected score. */
  readonly largest: number;
  readonly tolerance: number;
  /** Evidence that the score of a row only depends on that row. */
  readonly proof: RowProof;
}

/**
 * Opens the model on the first provider that can run it, compares it with its description, scores the golden rows, and checks
 * that the score of a row only depends on that row.
 *
 * @throws ScoreBatchError `configuration` if scores differ by more than the bundle allows
 */
export async function verifyBundle(bundle: Bundle, options: SessionOptions): Promise<Verification> {
  const { execution, golden } = await tryBundle(bundle, options);
  const { rows, largest, tolerance, proof } = golden;
  return { execution, rows, largest, tolerance, proof };
}
