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

/** Rows and checksum of every bucket that has rows, as text. */
export function countBuckets(dialect: Dialect, table: string, key: readonly Column[]): string {
  const text = dialect.type({ type: 'string' });
  const counts = [BUCKET, 'COUNT(*)', ...checksumSums(dialect, keyHash(dialect, key))];
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
  const counted = buckets.map(([bucket, count, high, low]) => ({
    bucket: Number(bucket),
    rows: Number(count),
    checksum: BigInt(checksumOf(high, low)),
  }));
  const chunks: FrozenChunk[] = [];
  for (let chunk = 0; chunk < divisions; chunk += 1) {
    const [first, end] = bucketsOf(chunk, divisions);
    const inside = counted.filter(({ bucket }) => bucket >= first && bucket < end);
    if (inside.length === 0) continue;
    chunks.push({
      chunk,
      rows: inside.reduce((sum, bucket) => sum + bucket.rows, 0),
      checksum: String(inside.reduce((sum, bucket) => sum + bucket.checksum, 0n)),
    });
  }
  return { runId, columns, chunks, rows, divisions, hash: 'md5' };
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
