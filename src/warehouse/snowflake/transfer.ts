import type { Column } from '../../domain/schema.ts';
import { appendText } from '../../duckdb/append-text.ts';
import type { Database } from '../../duckdb/database.ts';
import { identifier } from '../../duckdb/sql.ts';
import { duckdbType } from '../../duckdb/types.ts';
import { SNOWFLAKE } from './dialect.ts';
import type { Session, Statement } from './session.ts';

// Values leave Snowflake as text: the driver reads results as JSON only, whose numbers end at 53 bits, and Snowflake cuts
// doubles in it to a few digits. DuckDB makes values of them again.

/** A column that both sides know; `other` cannot be carried over. */
export type CarriedColumn = Pick<Column, 'name' | 'digits'> & { readonly type: Exclude<Column['type'], 'other'> };

/** @throws TypeError for a column that a plan refuses */
export function carried({ name, type, digits }: Column): CarriedColumn {
  if (type === 'other') throw new TypeError(`the column ${name} cannot be read`);
  return { name, type, ...(digits && { digits }) };
}

/**
 * Reads a table, or a part of one, into a temporary table of DuckDB, under the columns' names and in the order in which rows
 * arrive.
 *
 * @param from what stands after FROM, with its condition
 * @returns number of rows
 */
export async function readInto(
  database: Database,
  relation: string,
  columns: readonly CarriedColumn[],
  session: Session,
  from: string,
  statement: Statement,
): Promise<number> {
  const list = columns.map((column) => asText(SNOWFLAKE.identifier(column.name), column));
  const definitions = columns.map((column) => `${identifier(column.name)} ${duckdbType(column)}`);
  const cells = columns.map((_, i) => `t${i}`);
  const values = columns.map((column, i) => fromText(`t${i}`, column));
  const batches = await session.stream(`SELECT ${list.join(', ')} FROM ${from}`, statement);
  await database.run(`CREATE OR REPLACE TEMP TABLE ${relation} (${definitions.join(', ')})`);
  let read = 0;
  for await (const batch of batches) {
    // A batch at a time: the texts of a whole chunk take several times the room of its values.
    await database.run(`CREATE OR REPLACE TEMP TABLE arriving (${cells.map((cell) => `${cell} VARCHAR`).join(', ')})`);
    await appendText(database, 'arriving', columns.length, batch);
    await database.run(`INSERT INTO ${relation} SELECT ${values.join(', ')} FROM arriving`);
    read += batch.length;
  }
  await database.run('DROP TABLE IF EXISTS arriving');
  return read;
}

/**
 * How many digits Snowflake prints of a FLOAT is not documented, and was not tried on an account. So the text of what it left
 * out follows, where it left out something: the sum of both is the value, to the last bit.
 */
function asText(expression: string, column: CarriedColumn): string {
  if (column.type !== 'float') return SNOWFLAKE.text(expression, column);
  const printed = `CAST(${expression} AS VARCHAR)`;
  const parsed = `CAST(${printed} AS FLOAT)`;
  return `CONCAT(${printed}, CASE WHEN ${parsed} <> ${expression} THEN CONCAT(' ', CAST(${expression} - ${parsed} AS VARCHAR)) ELSE '' END)`;
}

/** DuckDB's value of the text that `asText` gives. */
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
