import type { Rejection } from '../features/rejection.ts';

// Outcomes of rows that were scored side by side, in one file: a block for each batch, written as soon as the batch is scored, in
// any order. A row's place is its ordinal. A block has, for each of its rows, four bytes of the outcome, then eight bytes for each:
// the hash of its features where the row was scored, or the bits of the value that was rejected.

const OUTCOME_BYTES = 4;
const WORD_BYTES = 8;

/** A row's outcome as a number: 0 where there is none yet, which is what a block that was not written holds. */
export type Outcome = number;

/** @param millionths the score */
export function scoredOutcome(millionths: number): Outcome {
  return millionths + 1;
}

/** @param rejection other than 0 */
export function rejectedOutcome(rejection: Rejection): Outcome {
  return -rejection;
}

export function blockBytes(batchRows: number): number {
  return batchRows * (OUTCOME_BYTES + WORD_BYTES);
}

/** Views of a block. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly outcomes: Int32Array;
  /** Two of them per row, the lower one first. */
  readonly words: Uint32Array;
}

export function createBlock(batchRows: number): Block {
  // Words first in memory would be aligned without this; the file has outcomes first, and an odd number of rows is rounded up.
  const buffer = new ArrayBuffer(blockBytes(batchRows));
  return {
    bytes: new Uint8Array(buffer),
    outcomes: new Int32Array(buffer, 0, batchRows),
    words: new Uint32Array(buffer, batchRows * OUTCOME_BYTES, batchRows * 2),
  };
}
