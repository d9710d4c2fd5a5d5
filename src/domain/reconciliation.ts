import type { StagedAttempt } from './attempt.ts';
import type { FrozenChunk } from './frozen-table.ts';
import type { RunRows } from './rows.ts';

/** What staging holds of one attempt, counted in the sink. */
export interface AttemptTally extends StagedAttempt {
  readonly scored: number;
  /** See `FrozenChunk.checksum`. */
  readonly checksum: string;
  readonly provider: string;
}

export interface RejectionTally {
  readonly reason: string;
  readonly columnName: string | undefined;
  readonly rows: number;
}

/** The one attempt per chunk that is published, or what is wrong. */
export interface Pinning {
  /** All that were found, complete or not. */
  readonly attempts: readonly AttemptTally[];
  readonly pinned: readonly AttemptTally[];
  /** Chunks without a complete attempt. */
  readonly missing: readonly number[];
  /** Chunks whose attempts have the right number of rows and other keys. */
  readonly mismatched: readonly number[];
}

export interface Reconciliation {
  readonly pinned: readonly AttemptTally[];
  readonly rows: RunRows;
  readonly rejections: readonly RejectionTally[];
  /** Scored rows per bin of the bundle's reference; undefined where it has none. */
  readonly scoreCounts: readonly number[] | undefined;
}

/** Picks the attempt of each chunk whose row count and key checksum equal the frozen chunk's; the lowest id of several. */
export function pinAttempts(chunks: readonly FrozenChunk[], attempts: readonly AttemptTally[]): Pinning {
  const pinned: AttemptTally[] = [];
  const missing: number[] = [];
  const mismatched: number[] = [];
  for (const { chunk, rows, checksum } of chunks) {
    const complete = attempts.filter((attempt) => attempt.chunk === chunk && attempt.rows === rows);
    const equal = complete.filter((attempt) => attempt.checksum === checksum).sort((a, b) => (a.attempt < b.attempt ? -1 : 1));
    if (equal[0] !== undefined) pinned.push(equal[0]);
    else (complete.length > 0 ? mismatched : missing).push(chunk);
  }
  return { attempts, pinned, missing, mismatched };
}

/** Chunks that no attempt covers with all its rows. */
export function undone(chunks: readonly FrozenChunk[], staged: readonly StagedAttempt[]): FrozenChunk[] {
  return chunks.filter(({ chunk, rows }) => !staged.some((attempt) => attempt.chunk === chunk && attempt.rows === rows));
}
