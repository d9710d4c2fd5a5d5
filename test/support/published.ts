import path from 'node:path';
import { query } from './project.ts';

/** Columns with the run and the time of a row. They differ between two runs on the same rows. */
const OF_THE_RUN = new Set(['run_id', 'scored_at', 'recorded_at']);

export function warehouseOf(folder: string): string {
  return path.join(folder, 'data', 'warehouse.duckdb');
}

/** Rows of a query on the project's warehouse; 64-bit integers and decimals as text. */
export function rowsOf(folder: string, sql: string): Promise<Record<string, unknown>[]> {
  return query(warehouseOf(folder), sql);
}

/** Names of all tables except the source's and those that keep replaced rows, in order. */
export async function publishedTables(folder: string): Promise<string[]> {
  const rows = await rowsOf(
    folder,
    "select schema_name || '.' || table_name as name from duckdb_tables() where schema_name <> 'main' order by name",
  );
  return rows.map(({ name }) => String(name)).filter((name) => !name.endsWith('_replaced'));
}

/**
 * All rows of the published tables except the ledger, by table, in an order that does not depend on the run, without the
 * columns that differ between runs. Equal if two runs published the same.
 */
export async function publishedRows(folder: string): Promise<Record<string, Record<string, unknown>[]>> {
  const tables = (await publishedTables(folder)).filter((name) => !name.endsWith('.score_batch_ledger'));
  const contents: Record<string, Record<string, unknown>[]> = {};
  for (const table of tables) {
    const name = table.split('.').map((part) => `"${part}"`);
    const rows = await rowsOf(folder, `select * from ${name.join('.')} order by all`);
    contents[table] = rows
      .map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => !OF_THE_RUN.has(column))))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  return contents;
}

/** The states in the ledger, in order: `['started', 'published', 'completed']`; empty without a ledger. */
export async function ledgerStates(folder: string): Promise<string[]> {
  if (!(await publishedTables(folder)).includes('marketing.score_batch_ledger')) return [];
  const rows = await rowsOf(folder, 'select state from marketing.score_batch_ledger order by rowid');
  return rows.map(({ state }) => String(state));
}
