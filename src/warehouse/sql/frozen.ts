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
import type { KeptRows } from '../../domain/kept-rows.ts';
import type { Column } from '../../domain/schema.ts';
import { alteredFrozen, chunkDifferences } from '../altered-frozen.ts';
import type { Dialect } from '../dialect.ts';
import type { TextRow } from '../reader.ts';
import type { LargestText } from '../source-capabilities.ts';
import { checksumSums, keyHash } from './dialect.ts';

// A frozen table in a warehouse is one scan of the source, divided into buckets by the hash of the key. A chunk is a range
// of buckets, so the number of chunks can be chosen after the rows are counted.

/** Column of a frozen table that holds a row's bucket. */
export const BUCKET = 'score_batch_bucket';

/** The bucket of a row, as an expression over the key's columns. */
export function bucketOf(dialect: Dialect, key: readonly Column[]): string {
  return `MOD(${keyHash(dialect, key)}, ${BUCKETS})`;
}

/** Row count, checksum of the keys and checksum of all columns for every non-empty bucket, as text. */
export function countBuckets(dialect: Dialect, table: string, key: readonly Column[], columns: readonly Column[]): string {
  const text = dialect.type({ type: 'string' });
  const counts = [BUCKET, 'COUNT(*)', ...[key, columns].flatMap((hashed) => checksumSums(dialect, keyHash(dialect, hashed)))];
  return `SELECT ${counts.map((count) => `CAST(${count} AS ${text})`).join(', ')} FROM ${table} GROUP BY ${BUCKET}`;
}

/** @param buckets result of `countBuckets` */
export function frozenTable(
  runId: string,
  columns: readonly Column[],
  { kept, ...chunking }: Chunking & { readonly kept?: KeptRows | undefined },
  buckets: readonly TextRow[],
): FrozenTable {
  const rows = buckets.reduce((sum, [, count]) => sum + Number(count), 0);
  const divisions = divisionsFor(rows, chunking);
  const chunks = chunksOf(divisions, buckets);
  return { id: newFrozenId(), runId, columns, chunks, rows, divisions, hash: 'md5', ...(kept && { kept }) };
}

/**
 * A frozen table that has lost rows counts as another table, with the same division into chunks.
 *
 * @param buckets result of `countBuckets` over the remaining rows
 */
export function recounted(frozen: FrozenTable, buckets: readonly TextRow[]): FrozenTable {
  const chunks = chunksOf(frozen.divisions, buckets);
  return { ...frozen, id: newFrozenId(), chunks, rows: chunks.reduce((sum, { rows }) => sum + rows, 0) };
}

/** @param where the table, as shown to the user. @throws ScoreBatchError `refused` if the text is not a valid manifest */
export function parseManifest(text: string, where: string): FrozenTable {
  try {
    const manifest = JSON.parse(text) as FrozenTable | null;
    if (typeof manifest?.id === 'string' && Array.isArray(manifest.chunks)) return manifest;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw alteredFrozen(where, ['its manifest is not valid']);
}

/**
 * @param where the table, as shown to the user
 * @param buckets a new result of `countBuckets`
 * @throws ScoreBatchError `refused` if they differ
 */
export function refuseAltered({ chunks, divisions }: FrozenTable, where: string, buckets: readonly TextRow[]): void {
  const details = chunkDifferences(chunks, chunksOf(divisions, buckets));
  if (details.length > 0) throw alteredFrozen(where, details);
}

/** Non-empty chunks, summed over their buckets. */
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

/** Size of the largest string of each column, as text. @param length the warehouse's function for a string's byte length */
export function selectLargest(dialect: Dialect, table: string, texts: readonly Column[], length: string): string {
  const text = dialect.type({ type: 'string' });
  const largest = texts.map(({ name }) => `CAST(MAX(${length}(${dialect.identifier(name)})) AS ${text})`);
  return `SELECT ${largest.join(', ')} FROM ${table}`;
}

/** @param row result of `selectLargest` */
export function largestTexts(texts: readonly Column[], row: TextRow = []): LargestText[] {
  return texts.map(({ name }, i) => ({ column: name, bytes: Number(row[i] ?? 0) }));
}

/** Condition on the frozen table that selects the rows of a chunk. */
export function inChunk({ divisions }: FrozenTable, chunk: number): string {
  const [first, end] = bucketsOf(chunk, divisions);
  return `${BUCKET} >= ${first} AND ${BUCKET} < ${end}`;
}
