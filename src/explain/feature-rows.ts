import type { ColumnBatch, ColumnValues, ReadKind } from '../domain/column-batch.ts';
import type { Column } from '../domain/schema.ts';
import type { SelectText, TextRow } from '../warehouse/reader.ts';
import { keyHash } from '../warehouse/sql/dialect.ts';

/** Keys per statement. Snowflake allows 16,384 values in a list. */
const KEYS_AT_ONCE = 5_000;

export interface FeatureColumns {
  readonly key: readonly Column[];
  /** Columns that feed the features, in the order of `featuresOf`. */
  readonly features: readonly Column[];
}

/**
 * Reads the features of some users as canonical strings.
 *
 * @param select runs a SELECT over the rows
 * @param hashes decimal `keyHash` of each user
 * @returns the features by hash; without users whose key has no row, or several
 */
export async function readFeatureRows(
  select: (statement: SelectText) => Promise<readonly TextRow[]>,
  { key, features }: FeatureColumns,
  hashes: readonly string[],
): Promise<Map<string, TextRow>> {
  const found = new Map<string, TextRow>();
  const twice = new Set<string>();
  for (let first = 0; first < hashes.length; first += KEYS_AT_ONCE) {
    const some = hashes.slice(first, first + KEYS_AT_ONCE);
    const rows = await select((dialect, relation) => {
      const hash = keyHash(dialect, key);
      const texts = features.map((column) => dialect.text(dialect.identifier(column.name), column));
      const columns = [dialect.text(hash, { type: 'integer' }), ...texts].map((text, i) => `${text} AS text_${i}`);
      return `SELECT ${columns.join(', ')} FROM ${relation} found WHERE ${hash} IN (${some.join(', ')})`;
    });
    for (const [hash, ...texts] of rows) {
      if (found.has(String(hash))) twice.add(String(hash));
      found.set(String(hash), texts);
    }
  }
  for (const hash of twice) found.delete(hash);
  return found;
}

/** Converts rows of canonical strings to a column batch. @param kinds kind of each column */
export function textBatch(rows: readonly TextRow[], kinds: readonly ReadKind[]): ColumnBatch {
  return { rows: rows.length, columns: kinds.map((kind, at) => textColumn(rows, at, kind)) };
}

function textColumn(rows: readonly TextRow[], at: number, kind: ReadKind): ColumnValues {
  if (kind === 'string') return { kind, values: rows.map((row) => row[at] ?? null), valid: undefined };
  const valid = new Uint8Array(Math.ceil(rows.length / 8));
  const fill = (set: (row: number, text: string) => void): void => {
    for (const [row, texts] of rows.entries()) {
      const text = texts[at];
      if (text === null || text === undefined) continue;
      valid[row >> 3] = (valid[row >> 3] ?? 0) | (1 << (row & 7));
      set(row, text);
    }
  };
  if (kind === 'int64') {
    const values = new BigInt64Array(rows.length);
    fill((row, text) => {
      values[row] = BigInt(text);
    });
    return { kind, values, valid };
  }
  if (kind === 'bool') {
    const values = new Uint8Array(rows.length);
    fill((row, text) => {
      values[row] = text.toLowerCase() === 'true' ? 1 : 0;
    });
    return { kind, values, valid };
  }
  const values = kind === 'float32' ? new Float32Array(rows.length) : new Float64Array(rows.length);
  fill((row, text) => {
    values[row] = numberOf(text);
  });
  return kind === 'float32' ? { kind, values: values as Float32Array, valid } : { kind, values: values as Float64Array, valid };
}

/** Warehouses write `inf`, `-inf`, `Infinity`, `NaN` in several ways, and a bool may feed a number. */
function numberOf(text: string): number {
  const plain = text.toLowerCase();
  if (/^[+-]?inf(inity)?$/.test(plain)) return plain.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (plain === 'true') return 1;
  return plain === 'false' ? 0 : Number(plain);
}
