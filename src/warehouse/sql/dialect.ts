import { HALF } from '../../domain/checksum.ts';
import type { Column } from '../../domain/schema.ts';
import type { Dialect } from '../dialect.ts';

/** An instant as a timestamp expression. @param iso ISO 8601 as JavaScript writes it */
export function instant(dialect: Dialect, iso: string): string {
  return `CAST(${dialect.literal(iso)} AS ${dialect.type({ type: 'timestamp' })})`;
}

/**
 * The first 60 bits of the MD5 of a row's canonical key text, which every warehouse can compute. A single key is its own
 * text. Each part of a composite key follows its length, so that ('a', 'bc') and ('ab', 'c') differ.
 *
 * @param columns the key's columns as named in the relation
 */
export function keyHash(dialect: Dialect, columns: readonly Column[]): string {
  const parts = keyTexts(dialect, columns);
  const [single] = parts;
  if (parts.length === 1 && single !== undefined) return dialect.hash(`coalesce(${single}, chr(26))`);
  // Nulls are handled here because concat skips them in DuckDB but returns null elsewhere.
  const placed = parts.map(
    (part) => `CASE WHEN ${part} IS NULL THEN '~' ELSE concat(${lengthOf(dialect, part)}, ':', ${part}) END`,
  );
  return dialect.hash(`concat(${placed.join(', ')})`);
}

/** The canonical text of each part of a key. */
function keyTexts(dialect: Dialect, columns: readonly Column[]): string[] {
  return columns.map((column) => dialect.text(dialect.identifier(column.name), column));
}

/** The two sums that form a checksum; see `checksumOf`. */
export function checksumSums(dialect: Dialect, hash: string): [high: string, low: string] {
  const integer = dialect.type({ type: 'integer' });
  return [`CAST(SUM(${dialect.quotient(hash, String(HALF))}) AS ${integer})`, `CAST(SUM(MOD(${hash}, ${HALF})) AS ${integer})`];
}

function lengthOf(dialect: Dialect, text: string): string {
  return `CAST(length(${text}) AS ${dialect.type({ type: 'string' })})`;
}
