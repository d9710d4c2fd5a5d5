import type { Column } from '../../domain/schema.ts';
import { appendText } from '../../duckdb/append-text.ts';
import type { Database } from '../../duckdb/database.ts';
import { identifier } from '../../duckdb/sql.ts';
import { duckdbType } from '../../duckdb/types.ts';
import { SNOWFLAKE } from './dialect.ts';
import type { Session, Statement } from './session.ts';

// Values leave Snowflake as text. The driver reads results only as JSON, where numbers have 53 bits and Snowflake truncates
// doubles to a few digits. DuckDB converts the text back to values.

/** A column with a type that both sides support. */
export type CarriedColumn = Pick<Column, 'name' | 'digits'> & { readonly type: Exclude<Column['type'], 'other'> };

/** @throws TypeError for an unsupported column, which the plan refuses */
export function carried({ name, type, digits }: Column): CarriedColumn {
  if (type === 'other') throw new TypeError(`the column ${name} cannot be read`);
  return { name, type, ...(digits && { digits }) };
}

/**
 * Reads a table, or part of it, into a temporary DuckDB table with the same column names, in order of arrival.
 *
 * @param from FROM clause with a condition
 * @returns number of rows
 */
export async function readInto(
  database: Database,
  { relation, columns }: { readonly relation: string; readonly columns: readonly CarriedColumn[] },
  session: Session,
  { from, ...statement }: Statement & { readonly from: string },
): Promise<number> {
  const list = columns.map((column) => asText(SNOWFLAKE.identifier(column.name), column));
  const definitions = columns.map((column) => `${identifier(column.name)} ${duckdbType(column)}`);
  const cells = columns.map((_, i) => `t${i}`);
  const values = columns.map((column, i) => fromText(`t${i}`, column));
  const batches = await session.stream(`SELECT ${list.join(', ')} FROM ${from}`, statement);
  await database.run(`CREATE OR REPLACE TEMP TABLE ${relation} (${definitions.join(', ')})`);
  let read = 0;
  for await (const batch of batches) {
    // One batch at a time: the strings of a whole chunk take several times the memory of its values.
    await database.run(`CREATE OR REPLACE TEMP TABLE arriving (${cells.map((cell) => `${cell} VARCHAR`).join(', ')})`);
    await appendText(database, 'arriving', columns.length, batch);
    await database.run(`INSERT INTO ${relation} SELECT ${values.join(', ')} FROM arriving`);
    read += batch.length;
  }
  await database.run('DROP TABLE IF EXISTS arriving');
  return read;
}

/**
 * Snowflake does not document how many digits it prints of a FLOAT, and this was not tried on a real account. If digits are
 * missing, the difference follows as text: the sum of both is the exact value.
 */
function asText(expression: string, column: CarriedColumn): string {
  if (column.type !== 'float') return SNOWFLAKE.text(expression, column);
  const printed = `CAST(${expression} AS VARCHAR)`;
  const parsed = `CAST(${printed} AS FLOAT)`;
  return `CONCAT(${printed}, CASE WHEN ${parsed} <> ${expression} THEN CONCAT(' ', CAST(${expression} - ${parsed} AS VARCHAR)) ELSE '' END)`;
}

/** DuckDB expression for the value of a string from `asText`. */
export function fromText(text: string, column: CarriedColumn): string {
  switch (column.type) {
    case 'string':
      return text;
    case 'float': {
      const part = (position: number) => `CAST(split_part(${text}, ' ', ${position}) AS DOUBLE)`;
      return `CASE WHEN contains(${text}, ' ') THEN ${part(1)} + ${part(2)} ELSE CAST(${text} AS DOUBLE) END`;
    }
    case 'timestamp':
      return `CAST(${text} || '+00' AS TIMESTAMP WITH TIME ZONE)`;
    default:
      return `CAST(${text} AS ${duckdbType(column)})`;
  }
}
