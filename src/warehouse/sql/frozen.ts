import { newFrozenId } from '../../domain/attempt-id.ts';
import { checksumOf } from '../../domain/checksum.ts';
import {
  BUCKETS,
  bucketsOf,
  type Chunking,
  divisionsFor,
  type FrozenChunk,
  type FrozenTable,
} from '../../domain/frozen-table.ts';
import type { Column } from '../../domain/schema.ts';
import { alteredFrozen, chunkDifferences } from '../altered-frozen.ts';
import type { LargestText } from '../warehouse.ts';
import { checksumSums, type Dialect, keyHash } from './dialect.ts';
import type { TextRow } from './tally.ts';

// A frozen table in a warehouse is one scan of the source, divided into buckets by the hash of the key; a chunk is a range of
// buckets, so that chunks can be made to measure once the rows are counted.

/** Column of a frozen table that holds a row's bucket. */
export const BUCKET = 'score_batch_bucket';

/** The bucket of a row, as an expression over the key's columns. */
export function bucketOf(dialect: Dialect, key: readonly Column[]): string {
  return `MOD(${keyHash(dialect, key)}, ${BUCKETS})`;
}

/** Rows, checksum of the keys and of all columns of every bucket that has rows, as text. */
export function countBuckets(dialect: Dialect, table: string, key: readonly Column[], columns: readonly Column[]): string {
  const text = dialect.type({ type: 'string' });
  const counts = [BUCKET, 'COUNT(*)', ...[key, columns].flatMap((hashed) => checksumSums(dialect, keyHash(dialect, hashed)))];
  return `SELECT ${counts.map((count) => `CAST(${count} AS ${text})`).join(', ')} FROM ${table} GROUP BY ${BUCKET}`;
}

/** @param buckets rows of `countBuckets` */
export function frozenTable(
  runId: string,
  columns: readonly Column[],
  chunking: Chunking,
  buckets: readonly TextRow[],
): FrozenTable {
  const rows = buckets.reduce((sum, [, count]) => sum + Number(count), 0);
  const divisions = divisionsFor(rows, chunking);
  return { id: newFrozenId(), runId, columns, chunks: chunksOf(divisions, buckets), rows, divisions, hash: 'md5' };
}

/** @param where the table, for people. @throws ScoreBatchError `refused` where the text is not a manifest that we write */
export function parseManifest(text: string, where: string): FrozenTable {
  try {
    const manifest = JSON.parse(text) as FrozenTable | null;
    if (typeof manifest?.id === 'string' && Array.isArray(manifest.chunks)) return manifest;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw alteredFrozen(where, ['its manifest is not one that score-batch writes']);
}

/** @param where the table, for people, @param buckets counted again. @throws ScoreBatchError `refused` where they differ */
export function refuseAltered({ chunks, divisions }: FrozenTable, where: string, buckets: readonly TextRow[]): void {
  const details = chunkDifferences(chunks, chunksOf(divisions, buckets));
  if (details.length > 0) throw alteredFrozen(where, details);
}

/** Chunks that have rows, summed over their buckets. */
function chunksOf(divisions: number, buckets: readonly TextRow[]): FrozenChunk[] {
  const counted = buckets.map(([bucket, count, high, low, contentHigh, contentLow]) => ({
    bucket: Number(bucket),
    rows: Number(count),
    checksum: BigInt(checksumOf(high, low)),
    content: BigInt(checksumOf(contentHigh, contentLow)),
  }));
  return Array.from({ length: divisions }, (_, chunk) => {
    const [first, end] = bucketsOf(chunk, divisions);
    const inside = counted.filter(({ bucket }) => bucket >= first && bucket < end);
    return {
      chunk,
      rows: inside.reduce((sum, { rows }) => sum + rows, 0),
      checksum: String(inside.reduce((sum, { checksum }) => sum + checksum, 0n)),
      content: String(inside.reduce((sum, { content }) => sum + content, 0n)),
    };
  }).filter(({ rows }) => rows > 0);
}

/** Bytes of the largest text of each column, as text. @param length the warehouse's function for bytes of a text */
export function selectLargest(dialect: Dialect, table: string, texts: readonly Column[], length: string): string {
  const text = dialect.type({ type: 'string' });
  const largest = texts.map(({ name }) => `CAST(MAX(${length}(${dialect.identifier(name)})) AS ${text})`);
  return `SELECT ${largest.join(', ')} FROM ${table}`;
}

/** @param row the row of `selectLargest` */
export function largestTexts(texts: readonly Column[], row: TextRow = []): LargestText[] {
  return texts.map(({ name }, i) => ({ column: name, bytes: Number(row[i] ?? 0) }));
}

/** The rows of a chunk, as a condition on the frozen table. */
export function inChunk({ divisions }: FrozenTable, chunk: number): string {
  const [first, end] = bucketsOf(chunk, divisions);
  return `${BUCKET} >= ${first} AND ${BUCKET} < ${end}`;
}
