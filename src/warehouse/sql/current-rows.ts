import type { Column } from '../../domain/schema.ts';
import { SKIP_KEY, stagedKeep, stagedKey } from '../../domain/staged-columns.ts';
import { SCORE_SCALE, type TableColumn, type TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { TextRow } from '../reader.ts';
import { keyHash } from './dialect.ts';
import { stagedKeys } from './top.ts';

// Rows of a slice and of the current table as relations with the same column names: key_0, …, keep_0, …, score, reason,
// skip_key. A key in the table has no nulls, so plain equality finds its row.

/** Keys per list in a statement. */
export const KEYS_AT_ONCE = 1000;

/** What determines the columns of a slice and of the current table. */
export interface SliceColumns {
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  /** Whether the sink `stagesText`. */
  readonly stagesText: boolean;
}

/** Staged rows of a slice. */
export interface StagedSlice extends SliceColumns {
  /** FROM clause with the rows of the pinned attempts, including rejected ones. */
  readonly staged: string;
}

/**
 * Selects one row per user of a slice, with the types of the current table. Rows without a complete key have no user. Rows with
 * the same key are all rejected; the one with the lowest hash stands for them.
 */
export function selectSlice(dialect: Dialect, { staged, key, keep, stagesText }: StagedSlice): string {
  const keys = key.map((_, i) => stagedKey(i));
  const passed = [...keys, ...keep.map((_, i) => stagedKeep(i)), 'score', 'reason', SKIP_KEY, 'scored_at'];
  const keyed = keys.map((name) => `${name} IS NOT NULL`).join(' AND ');
  const repeated = `reason = ${dialect.literal('duplicate key')}`;
  const hash = keyHash(dialect, stagedColumns({ key, keep, stagesText }));
  const once = `SELECT ${passed.join(', ')} FROM ${staged} WHERE ${keyed} AND (reason IS NULL OR NOT ${repeated})
    UNION ALL SELECT ${passed.join(', ')} FROM (SELECT ${passed.join(', ')},
      ROW_NUMBER() OVER (PARTITION BY ${keys.join(', ')} ORDER BY ${hash}) AS place
      FROM ${staged} WHERE ${keyed} AND ${repeated}) repeated WHERE place = 1`;
  const cast = (name: string, column: Pick<TableColumn, 'type' | 'digits'>) =>
    `CAST(${name} AS ${dialect.type(column)}) AS ${name}`;
  const typed = [
    ...key.map((column, i) => cast(stagedKey(i), column as TableColumn)),
    ...keep.map((column, i) => cast(stagedKeep(i), column as TableColumn)),
    cast('score', { type: 'decimal', digits: [7, SCORE_SCALE] }),
    'reason',
    cast(SKIP_KEY, { type: 'integer' }),
    cast('scored_at', { type: 'timestamp' }),
  ];
  return `SELECT ${typed.join(', ')} FROM (${once}) once`;
}

/** Key and kept columns as named and typed in staging. */
function stagedColumns({ key, keep, stagesText }: SliceColumns): Column[] {
  const kept = stagedKeys(keep, stagesText).map((column, i) => ({ ...column, name: stagedKeep(i) }));
  return [...stagedKeys(key, stagesText), ...kept];
}

/** Name of the score column. */
export function scoreOf(table: TableLayout, { key, keep }: Pick<SliceColumns, 'key' | 'keep'>): string {
  return table.columns[key.length + keep.length]?.name ?? '';
}

/**
 * Selects rows of the current table: key_0, …, and further columns.
 *
 * @param columns of the table, by the names to give them
 */
export function selectTable(
  dialect: Dialect,
  table: TableLayout,
  key: readonly Column[],
  columns: Readonly<Record<string, string>>,
): string {
  const named = Object.entries(columns).map(([alias, name]) => `present.${dialect.identifier(name)} AS ${alias}`);
  const keys = key.map(({ name }, i) => `present.${dialect.identifier(name)} AS ${stagedKey(i)}`);
  return `SELECT ${[...keys, ...named].join(', ')} FROM ${dialect.table(table.name)} present`;
}

/** Condition: two relations have equal keys. */
export function sameKey(key: readonly Column[], one: string, other: string): string {
  return key.map((_, i) => `${one}.${stagedKey(i)} = ${other}.${stagedKey(i)}`).join(' AND ');
}

/** Keys by which to find rows. */
export interface Keys {
  readonly key: readonly Column[];
  /** Canonical strings. */
  readonly keys: readonly TextRow[];
  /** SQL name of a table that has the keys as key_0, …; set if they are too many for statements. */
  readonly keyTable?: string | undefined;
}

/**
 * Conditions, exactly one of which is true for each row with one of the keys. @param columns expressions for the parts of a
 * row's key
 */
export function keyConditions(dialect: Dialect, { key, keys, keyTable }: Keys, columns: readonly string[]): string[] {
  if (keyTable !== undefined) {
    const same = key.map((_, i) => `listed.${stagedKey(i)} = ${columns[i]}`);
    return [`EXISTS (SELECT 1 FROM ${keyTable} listed WHERE ${same.join(' AND ')})`];
  }
  return inLists(keys).map((list) => {
    const values = list.map((texts) => keyValues(dialect, key, texts));
    if (key.length === 1) return `${columns[0]} IN (${values.map(([value]) => value).join(', ')})`;
    const rows = values.map((parts) => `(${parts.map((value, i) => `${columns[i]} = ${value}`).join(' AND ')})`);
    return `(${rows.join(' OR ')})`;
  });
}

/** Statements that fill a table of keys; see `Keys`. @param table name as in SQL */
export function insertKeys(dialect: Dialect, table: string, { key, keys }: Omit<Keys, 'keyTable'>): string[] {
  const names = key.map((_, i) => stagedKey(i)).join(', ');
  return inLists(keys).map((list) => {
    const values = list.map((texts) => `(${keyValues(dialect, key, texts).join(', ')})`);
    return `INSERT INTO ${table} (${names}) VALUES ${values.join(', ')}`;
  });
}

function inLists(keys: readonly TextRow[]): TextRow[][] {
  return Array.from({ length: Math.ceil(keys.length / KEYS_AT_ONCE) }, (_, i) =>
    keys.slice(i * KEYS_AT_ONCE, (i + 1) * KEYS_AT_ONCE),
  );
}

function keyValues(dialect: Dialect, key: readonly Column[], texts: TextRow): string[] {
  return key.map((column, i) => `CAST(${dialect.literal(texts[i] ?? '')} AS ${dialect.type(column as TableColumn)})`);
}

/**
 * Condition: the slice's row, `fresh`, has the same model and the same features as the user's row in the table, `earlier`. The
 * earlier score is then still valid.
 */
export function isUnchanged({ literal }: Dialect, digest: string): string {
  return `COALESCE(fresh.score IS NOT NULL AND earlier.score IS NOT NULL AND fresh.${SKIP_KEY} = earlier.${SKIP_KEY}
    AND earlier.model_digest = ${literal(digest)}, FALSE)`;
}
