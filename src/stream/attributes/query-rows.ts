import { setImmediate as nextTurn } from 'node:timers/promises';
import { counted } from '../../domain/counted.ts';
import type { Query } from '../../domain/query.ts';
import type { Column } from '../../domain/schema.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { FieldValue } from '../../event-features/definition.ts';
import type { Dialect } from '../../warehouse/dialect.ts';
import type { TextRow } from '../../warehouse/reader.ts';
import { keyHash } from '../../warehouse/sql/dialect.ts';
import type { Source } from '../../warehouse/warehouse.ts';
import { type AttributeLimits, hashedKey, refuseBeyond } from './limits.ts';
import { attributeValue, type QueryColumns } from './query-columns.ts';
import { AttributeTable } from './table.ts';
import { columnVersions, loadVersion } from './versions.ts';

/**
 * Most rows held as strings at once; for more, the query runs once per part of the keys, which bounds memory. DuckDB's are
 * converted in one go, while events wait; a remote warehouse sends them in pieces, and charges per query.
 */
export const ROWS_AT_ONCE = { local: 50_000, remote: 250_000 } as const;
/** Rows put into the table per turn of the event loop, which also scores events. */
const ROWS_PER_TURN = 1000;

const WHERE = 'attributes.query';

export interface QueryRowsOptions {
  readonly limits: AttributeLimits;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
  /** Epoch milliseconds: the version of rows without a version column. */
  readonly now: number;
  readonly rowsAtOnce: number;
}

/**
 * Reads all rows of the query into a new table.
 *
 * @throws ScoreBatchError `refused` if a key has two rows or a value cannot be kept, `unavailable` if there are more rows than
 * allowed
 */
export async function readRows(
  source: Source,
  query: Query,
  columns: QueryColumns,
  { limits, signal, warn, now, rowsAtOnce }: QueryRowsOptions,
): Promise<AttributeTable<string>> {
  const count = await countRows(source, query);
  refuseBeyond({ rows: count, bytes: 0 }, limits, WHERE);
  const parts = Math.max(1, Math.ceil(count / rowsAtOnce));
  const versions = columns.version === undefined ? loadVersion(now) : columnVersions();
  const table = new AttributeTable(
    columns.attributes.map(({ kept }) => kept),
    versions,
  );
  let keyless = 0;
  for (let part = 0; part < parts; part += 1) {
    const rows = await source.select(query, (dialect, relation) => selectRows(dialect, relation, columns, { part, parts }));
    for (const [at, row] of rows.entries()) {
      if (at % ROWS_PER_TURN === 0) {
        await nextTurn();
        signal.throwIfAborted();
        refuseBeyond(table, limits, WHERE);
      }
      if (row[0] === null) keyless += 1;
      else addRow(table, row, columns);
    }
  }
  refuseBeyond(table, limits, WHERE);
  if (keyless > 0) warn(`${counted(keyless, 'row')} of ${WHERE} without a key ${keyless === 1 ? 'is' : 'are'} left out`);
  return table;
}

async function countRows(source: Source, query: Query): Promise<number> {
  const [row] = await source.select(query, (dialect, relation) => {
    const text = dialect.type({ type: 'string' });
    return `SELECT CAST(COUNT(*) AS ${text}) AS counted FROM ${relation} attribute_rows`;
  });
  return Number(row?.[0]);
}

function selectRows(
  dialect: Dialect,
  relation: string,
  { key, version, attributes }: QueryColumns,
  { part, parts }: { readonly part: number; readonly parts: number },
): string {
  const texts = [
    textOf(dialect, key),
    version === undefined ? `CAST(NULL AS ${dialect.type({ type: 'string' })})` : textOf(dialect, version),
    ...attributes.flatMap(({ column }) => (column.type === 'float' ? floatTexts(dialect, column) : [textOf(dialect, column)])),
  ].map((text, i) => `${text} AS text_${i}`);
  const of = parts === 1 ? '' : ` WHERE MOD(${keyHash(dialect, [key])}, ${parts}) = ${part}`;
  return `SELECT ${texts.join(', ')} FROM ${relation} attribute_rows${of}`;
}

function textOf(dialect: Dialect, column: Column): string {
  return dialect.text(dialect.identifier(column.name), column);
}

/**
 * A number as the double that SQL computes with, and what its printed text lost: Snowflake does not print all digits. Their sum
 * is the value.
 */
function floatTexts(dialect: Dialect, { name }: Column): [printed: string, rest: string] {
  const [double, string] = [dialect.type({ type: 'float' }), dialect.type({ type: 'string' })];
  const value = `CAST(${dialect.identifier(name)} AS ${double})`;
  const printed = `CAST(${value} AS ${string})`;
  const parsed = `CAST(${printed} AS ${double})`;
  return [printed, `CASE WHEN ${parsed} <> ${value} THEN CAST(${value} - ${parsed} AS ${string}) ELSE NULL END`];
}

function addRow(table: AttributeTable<string>, [key, version, ...cells]: TextRow, columns: QueryColumns): void {
  const keyText = String(key);
  if (table.has(keyText)) {
    throw new ScoreBatchError('refused', `a key has more than one row in ${WHERE} (${hashedKey(keyText)})`, {
      hint: 'select one row per key: the newest version of each',
    });
  }
  if (version === null && columns.version !== undefined) {
    throw new ScoreBatchError('refused', `a row of ${WHERE} has no ${columns.version.name} (key ${hashedKey(keyText)})`, {
      hint: 'select a version for every row, or remove attributes.version: each score names the version of the row that it was made from',
    });
  }
  const values: FieldValue[] = [];
  let at = 0;
  for (const { column, kept } of columns.attributes) {
    const text = cells[at] ?? null;
    const rest = column.type === 'float' ? (cells[at + 1] ?? null) : null;
    at += column.type === 'float' ? 2 : 1;
    const value = text === null ? null : attributeValue(text, rest, kept.type);
    if (value === undefined) throw noValue(kept.name, kept.type, keyText);
    values.push(value);
  }
  table.set(keyText, version ?? '', values);
}

function noValue(name: string, type: string, key: string): ScoreBatchError {
  const why = type === 'int64' ? 'is beyond 2^53, which JSON does not represent exactly' : 'is infinite or not a number';
  return new ScoreBatchError('refused', `a value of ${name} in ${WHERE} ${why} (key ${hashedKey(key)})`, {
    hint: 'cast the column in the query: to text, to a smaller number, or to null',
  });
}
