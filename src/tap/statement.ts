import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Column } from '../domain/schema.ts';
import { stagedKeep, stagedKey } from '../domain/staged-columns.ts';
import { rowGroupsOf } from '../duckdb/row-groups.ts';
import { BUILT_IN, literal, parquetScan } from '../duckdb/sql.ts';
import type { VectorType } from '../duckdb/vector.ts';
import { ORDINAL, ROWS, textColumn } from '../outcomes/folder.ts';
import { selected } from '../warehouse/duckdb/frozen-rows.ts';
import { hashOfKey } from '../warehouse/duckdb/key-hash.ts';
import { asSubquery } from '../warehouse/sql/subquery.ts';
import type { TapColumn } from './columns.ts';
import type { EngineSetup } from './messages.ts';

/**
 * Rows are read a few times and then dropped, so compression costs more than it saves. A dictionary stores repeated strings
 * once per row group, which makes grouping by them cheaper.
 */
const ROWS_FORMAT = 'FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 256';
const ROW_GROUP_BYTES = 8 * 2 ** 20;
/** Rows per file. A killed process loses up to this many for each database thread. */
const FILE_ROWS = 61_440;

const EARLIER_OUTCOME = 'score_batch_outcome';
const EARLIER_BITS = 'score_batch_bits';

/** A random name, because a macro of the user's database with the same name would be called instead of the function. */
export function newFunctionName(what: string): string {
  return `score_batch_${what}_${randomBytes(8).toString('hex')}`;
}

/** Types of the function's parameters: the features, the hash of the key, then an earlier outcome and its features' hash. */
export function tapParameters(columns: readonly TapColumn[], reuses: boolean): VectorType[] {
  return [...columns.map(({ type }) => type), 'BIGINT', ...(reuses ? (['INTEGER', 'BIGINT'] as const) : [])];
}

/**
 * The one statement that reads the window. It passes the features of each row to the function, and writes the key, the kept
 * columns and the ordinal to files. A file has one row group, so that a killed process leaves complete files.
 *
 * @param earlier relations of earlier attempts, with the staged key columns, `outcome` and `bits`
 */
export function tapStatement(
  { session, columns, key, keep, folder }: EngineSetup,
  tap: string,
  earlier: readonly string[],
): string {
  const passed = [
    ...key.map((column, i) => `${selected(column)} AS ${stagedKey(i)}`),
    ...keep.map((column, i) => `${selected(column)} AS ${stagedKeep(i)}`),
    ...columns.flatMap(({ text }, i) => (text === undefined ? [] : [`${text} AS ${textColumn(i)}`])),
  ];
  const reuses = earlier.length > 0;
  const parameters = [
    ...columns.map(({ sql }) => sql),
    hashOfKey('native', key),
    ...(reuses ? [EARLIER_OUTCOME, EARLIER_BITS] : []),
  ];
  const from = `${asSubquery(session.sql)} AS score_batch_source${reuses ? ` LEFT JOIN ${earlierRows(key, earlier)}` : ''}`;
  return `COPY (SELECT ${[...passed, `${tap}(${parameters.join(', ')}) AS ${ORDINAL}`].join(', ')} FROM ${from})
    TO ${literal(path.join(folder, ROWS))} (${ROWS_FORMAT}, ${rowGroupsOf(ROW_GROUP_BYTES)}, ROW_GROUP_SIZE ${FILE_ROWS}, ROW_GROUPS_PER_FILE 1)`;
}

/** A key that occurs more than once is scored again, because its rows have different features. */
function earlierRows(key: readonly Column[], earlier: readonly string[]): string {
  const keys = key.map((_, i) => stagedKey(i));
  // Unique names, because the statement combines them with the query's own columns.
  const named = keys.map((name) => `${name} AS score_batch_${name}`);
  const same = key.map((column, i) => `${selected(column)} = score_batch_${stagedKey(i)}`);
  const all = earlier.map((from) => `SELECT ${[...keys, 'outcome', 'bits'].join(', ')} FROM ${from}`).join(' UNION ALL ');
  return `(SELECT ${named.join(', ')}, ${BUILT_IN}any_value(outcome) AS ${EARLIER_OUTCOME}, ${BUILT_IN}any_value(bits) AS ${EARLIER_BITS} FROM (${all})
    WHERE outcome > 0 GROUP BY ${keys.join(', ')} HAVING ${BUILT_IN}count() = 1) AS score_batch_earlier ON ${same.join(' AND ')}`;
}

/**
 * A statement that writes the keys that occur more than once among the written rows.
 *
 * @param isSuspect condition on a key's hash; other keys are ignored
 */
export function copyRepeated(
  files: readonly string[],
  { key }: Pick<EngineSetup, 'key'>,
  isSuspect: (hash: string) => string,
  target: string,
): string {
  const keys = key.map((column, i) => ({ ...column, name: stagedKey(i) }));
  const present = keys.map(({ name }) => `${name} IS NOT NULL`).join(' AND ');
  const names = keys.map(({ name }) => name).join(', ');
  return `COPY (SELECT ${names} FROM ${parquetScan(files)} WHERE ${present} AND ${isSuspect(hashOfKey('native', keys))}
    GROUP BY ${names} HAVING ${BUILT_IN}count() > 1) TO ${literal(target)} (FORMAT parquet)`;
}
