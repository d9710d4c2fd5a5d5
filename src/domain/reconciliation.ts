import type { StagedAttempt } from './attempt.ts';
import type { AttemptFacts } from './attempt-facts.ts';
import { isOfFrozen, scorerOf } from './attempt-id.ts';
import type { FrozenChunk, FrozenTable } from './frozen-table.ts';
import type { RunRows } from './rows.ts';
import type { TextCounts } from './text-counts.ts';

/** What staging holds of one attempt, counted in the sink. */
export interface AttemptTally extends StagedAttempt {
  readonly scored: number;
  /** See `FrozenChunk.checksum`. */
  readonly checksum: string;
  readonly provider: string;
  /** Undefined where its rows do not say. */
  readonly facts: AttemptFacts | undefined;
  /** What its rows hold, so that a change between counting and publishing is noticed: each sink's own text for it. */
  readonly content: string;
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
  /** What the text features met in all pinned attempts, whoever scored them. */
  readonly texts: TextCounts;
}

/**
 * Picks one attempt of each chunk: of this very frozen table, with its row count and key checksum, the lowest id of several. All
 * are of one scorer, the one that covers most chunks: scores of two may differ in their last digits.
 *
 * @param preferred scorer that is taken where several cover as many, see `scorerId`
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

/** Chunks that no attempt of this frozen table and this scorer covers with all its rows. @param scorer see `scorerId` */
export function unstagedChunks(
  { id, chunks }: Pick<FrozenTable, 'id' | 'chunks'>,
  scorer: string,
  staged: readonly StagedAttempt[],
): FrozenChunk[] {
  const own = staged.filter(({ attempt }) => isOfFrozen(attempt, id) && scorerOf(attempt) === scorer);
  return chunks.filter(({ chunk, rows }) => !own.some((attempt) => attempt.chunk === chunk && attempt.rows === rows));
}
