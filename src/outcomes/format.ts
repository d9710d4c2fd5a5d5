import type { Rejection } from '../features/rejection.ts';

// One file holds the outcomes of rows that are scored in parallel. It has a block per batch, written in any order, as soon as the
// batch is scored. The ordinal of a row determines its place. A block has four bytes per row for the outcomes, then eight bytes
// per row: the hash of the features if the row was scored, or the bits of the rejected value.

const OUTCOME_BYTES = 4;
const WORD_BYTES = 8;

/** A row's outcome as a number; 0 if there is none yet, as in a block that was never written. */
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
  /** Two words per row, the lower one first. */
  readonly words: Uint32Array;
}

export function createBlock(batchRows: number): Block {
  const buffer = new ArrayBuffer(blockBytes(batchRows));
  return {
    bytes: new Uint8Array(buffer),
    outcomes: new Int32Array(buffer, 0, batchRows),
    words: new Uint32Array(buffer, batchRows * OUTCOME_BYTES, batchRows * 2),
  };
}
