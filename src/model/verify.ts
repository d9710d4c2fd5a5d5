import type { Execution } from '../domain/execution.ts';
import type { SessionOptions } from '../runtime/session.ts';
import type { Bundle } from './bundle.ts';
import type { RowProof } from './row-proof.ts';
import { serve } from './serve.ts';

export interface Verification {
  readonly execution: Execution;
  readonly rows: number;
  /** Largest absolute difference between a score and the expected one. */
  readonly largest: number;
  readonly tolerance: number;
  /** That the score of a row does not depend on the rows beside it. */
  readonly proof: RowProof;
}

/**
 * Opens the model, compares it with its description, scores the golden rows and proves that each is scored by itself, on the
 * first provider that serves.
 *
 * @throws ScoreBatchError `configuration` where they differ by more than the bundle allows
 */
export async function verifyBundle(bundle: Bundle, options: SessionOptions): Promise<Verification> {
  const { execution, golden } = await serve(bundle, options);
  const { rows, largest, tolerance, proof } = golden;
  return { execution, rows, largest, tolerance, proof };
}
