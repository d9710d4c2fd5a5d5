import type { StagedAttempt } from './attempt.ts';
import type { AttemptFacts } from './attempt-facts.ts';
import { isOfFrozen, scorerOf } from './attempt-id.ts';
import type { FrozenChunk, FrozenTable } from './frozen-table.ts';
import type { RunRows } from './rows.ts';
import type { TextCounts } from './text-counts.ts';

/** One attempt in staging, counted by the sink. */
export interface AttemptTally extends StagedAttempt {
  readonly scored: number;
  /** Sum of the scores, rounded to double precision; undefined if the sink does not count it. */
  readonly scoreSum?: number | undefined;
  /** See `FrozenChunk.checksum`. */
  readonly checksum: string;
  readonly provider: string;
  /** Undefined if its rows have none. */
  readonly facts: AttemptFacts | undefined;
  /** Digest of its rows, in the sink's own form. Detects a change between counting and publishing. */
  readonly content: string;
}

export interface RejectionTally {
  readonly reason: string;
  readonly columnName: string | undefined;
  readonly rows: number;
}

/** One attempt per chunk to publish, and the chunks that have none. */
export interface Pinning {
  /** All attempts found, complete or not. */
  readonly attempts: readonly AttemptTally[];
  readonly pinned: readonly AttemptTally[];
  /** Chunks without a complete attempt. */
  readonly missing: readonly number[];
  /** Chunks whose attempts have the right number of rows but the wrong keys. */
  readonly mismatched: readonly number[];
}

export interface Reconciliation {
  readonly pinned: readonly AttemptTally[];
  readonly rows: RunRows;
  readonly rejections: readonly RejectionTally[];
  /** Scored rows per bin of the bundle's reference; undefined if it has none. */
  readonly scoreCounts: readonly number[] | undefined;
  /** Counts of the text features, summed over all pinned attempts. */
  readonly texts: TextCounts;
  /** Scored rows that kept an earlier score, because neither their features nor the model changed. */
  readonly unchanged: number;
}

/**
 * Picks one attempt per chunk. It must have read this frozen table and match the chunk's row count and key checksum; of
 * several, the lowest id wins. All picks are by the same scorer, the one that covers the most chunks: the scores of two scorers
 * may differ in their last digits.
 *
 * @param preferred scorer that wins a tie, see `scorerId`
 */
export function pinAttempts(
  { id, chunks }: Pick<FrozenTable, 'id' | 'chunks'>,
  attempts: readonly AttemptTally[],
  preferred?: string,
): Pinning {
  const own = attempts.filter(({ attempt }) => isOfFrozen(attempt, id));
  const rankOf = (scorer: string) => (scorer === preferred ? 0 : 1);
  const scorers = [...new Set(own.map(({ attempt }) => scorerOf(attempt)))].sort(
    (a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1),
  );
  const choices = scorers.map((scorer) =>
    pinOf(
      chunks,
      own.filter(({ attempt }) => scorerOf(attempt) === scorer),
    ),
  );
  const [best = pinOf(chunks, [])] = choices.sort((a, b) => b.pinned.length - a.pinned.length);
  return { attempts, ...best };
}

/** Mean of the scored rows, rounded to millionths like the scores themselves; undefined without any. */
export function meanScore(pinned: readonly Pick<AttemptTally, 'scored' | 'scoreSum'>[]): number | undefined {
  const scored = pinned.reduce((sum, attempt) => sum + attempt.scored, 0);
  if (scored === 0 || pinned.some((attempt) => attempt.scored > 0 && attempt.scoreSum === undefined)) return undefined;
  return Number((pinned.reduce((sum, attempt) => sum + (attempt.scoreSum ?? 0), 0) / scored).toFixed(6));
}

function pinOf(chunks: readonly FrozenChunk[], attempts: readonly AttemptTally[]): Omit<Pinning, 'attempts'> {
  const pinned: AttemptTally[] = [];
  const missing: number[] = [];
  const mismatched: number[] = [];
  for (const { chunk, rows, checksum } of chunks) {
    const complete = attempts.filter((attempt) => attempt.chunk === chunk && attempt.rows === rows);
    const equal = complete.filter((attempt) => attempt.checksum === checksum).sort((a, b) => (a.attempt < b.attempt ? -1 : 1));
    if (equal[0] !== undefined) pinned.push(equal[0]);
    else (complete.length > 0 ? mismatched : missing).push(chunk);
  }
  return { pinned, missing, mismatched };
}

/** Chunks without a complete attempt of this frozen table and this scorer. @param scorer see `scorerId` */
export function unstagedChunks(
  { id, chunks }: Pick<FrozenTable, 'id' | 'chunks'>,
  scorer: string,
  staged: readonly StagedAttempt[],
): FrozenChunk[] {
  const own = staged.filter(({ attempt }) => isOfFrozen(attempt, id) && scorerOf(attempt) === scorer);
  return chunks.filter(({ chunk, rows }) => !own.some((attempt) => attempt.chunk === chunk && attempt.rows === rows));
}
