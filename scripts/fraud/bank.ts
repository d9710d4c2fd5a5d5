import { rmSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { textTable } from '../text-table.ts';
import { landingStatements } from './landed.ts';

/** The demo's warehouse, a DuckDB file that is closed between visits, because commands must find it unlocked. */
export interface Bank {
  /** Rows of a query as strings, by column. */
  query(sql: string): Promise<{ readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] }>;
  /** The rows as a readable table. */
  table(sql: string): Promise<string>;
  run(statements: readonly string[]): Promise<void>;
}

/** @param folder files of the generator; replaces `bank.duckdb` in it, with the tables `transactions`, `users`, `labels` */
export async function makeBank(folder: string): Promise<Bank> {
  const file = `${folder}/bank.duckdb`;
  for (const rest of ['', '.wal', '.scratch']) rmSync(`${file}${rest}`, { recursive: true, force: true });
  async function visit<T>(work: (connection: Awaited<ReturnType<DuckDBInstance['connect']>>) => Promise<T>): Promise<T> {
    const instance = await DuckDBInstance.create(file);
    const connection = await instance.connect();
    try {
      return await work(connection);
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  }
  const bank: Bank = {
    query: (sql) =>
      visit(async (connection) => {
        const result = await connection.runAndReadAll(sql);
        return {
          header: result.columnNames(),
          rows: result.getRows().map((row) => row.map((value) => (value === null ? '' : String(value)))),
        };
      }),
    async table(sql) {
      const { header, rows } = await bank.query(sql);
      return textTable(header, rows);
    },
    run: (statements) =>
      visit(async (connection) => {
        for (const sql of statements) await connection.run(sql);
      }),
  };
  await bank.run(landingStatements(folder));
  return bank;
}
