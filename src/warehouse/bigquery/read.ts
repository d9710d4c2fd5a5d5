import type { TableColumn } from '../../domain/tables.ts';
import { openColumnAppender } from '../../duckdb/append-columns.ts';
import type { Database } from '../../duckdb/database.ts';
import { identifier } from '../../duckdb/sql.ts';
import { duckdbType } from '../../duckdb/types.ts';
import { ForeignAnswer } from '../foreign-answer.ts';
import { beforeRetry } from '../retry.ts';
import { within } from '../timeouts.ts';
import { type ArrowColumns, type ArrowReader, arrowReader } from './arrow.ts';
import type { Connection } from './connection.ts';
import { isTransient } from './failure.ts';
import type { FullName } from './names.ts';
import { rowMessages } from './row-messages.ts';

export interface TableRead {
  readonly table: FullName;
  /** Columns of the table to create in DuckDB. */
  readonly columns: readonly TableColumn[];
  /** Additional columns to read but not to store. */
  readonly others?: readonly TableColumn[];
  /**
   * Column names in the table's spelling, if it can differ from `columns` in case: the API's field names are case-sensitive.
   */
  readonly spelled?: readonly string[];
  /** Condition on the table's columns. */
  readonly restriction: string;
  /** Temporary table to create or replace in the in-memory DuckDB. */
  readonly into: string;
}

/** Rows that were appended. */
export interface AppendedRows extends ArrowColumns {
  /** Number of the read attempt; rows of earlier attempts have been removed from the table. */
  readonly attempt: number;
}

/** More do not help, because one thread reads all of them. */
const STREAMS = 4;

/** Reads a table, or part of it, into DuckDB; see `readRows`. */
export async function readTable(connection: Connection, database: Database, read: TableRead): Promise<void> {
  for await (const _ of readRows(connection, database, read));
}

/**
 * Reads a table, or part of it, through the Storage Read API: Arrow columns from several concurrent streams, copied as a
 * whole into DuckDB's vectors. A read that fails or times out starts over on a new connection with an empty table. Streams
 * could resume at their offsets, but only at the end is it certain which of the appended rows are in the table.
 */
export async function* readRows(connection: Connection, database: Database, read: TableRead): AsyncGenerator<AppendedRows> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for await (const rows of readOnce(connection, database, read)) yield { ...rows, attempt };
      return connection.budget.earn();
    } catch (error) {
      connection.signal.throwIfAborted();
      if (!isTransient(error)) throw error;
      connection.storage.close();
      await beforeRetry(connection, attempt, error);
    }
  }
}

async function* readOnce(connection: Connection, database: Database, read: TableRead): AsyncGenerator<ArrowColumns> {
  const { table, columns, others = [], restriction, into } = read;
  const { timeouts, signal } = connection;
  const client = await within(connection.storage.get(), timeouts.request, signal);
  const definitions = columns.map((column) => `${identifier(column.name)} ${duckdbType(column)}`);
  await database.run(`CREATE OR REPLACE TEMP TABLE ${identifier(into)} (${definitions.join(', ')})`);
  const all = [...columns, ...others];
  const created = client.createReadSession(
    {
      parent: `projects/${connection.home.project}`,
      readSession: {
        table: `projects/${table.project}/datasets/${table.dataset}/tables/${table.table}`,
        dataFormat: 'ARROW',
        // Not compressed: apache-arrow has no built-in codec.
        readOptions: { selectedFields: all.map(({ name }) => spelling(name, read.spelled)), rowRestriction: restriction },
      },
      maxStreamCount: STREAMS,
    },
    // Retries are decided in `readRows`.
    { retry: null, timeout: timeouts.silence },
  );
  const [session] = await within(created, timeouts.silence, signal);
  const schema = session.arrowSchema?.serializedSchema as Uint8Array | undefined;
  if (schema === undefined) throw new ForeignAnswer(`the read session of ${table.table} has no schema`);
  const streams = (session.streams ?? []).map(({ name }) => name ?? '');
  const decode = arrowReader(schema, all);
  const appender = await openColumnAppender(database, into);
  try {
    for await (const message of rowMessages(connection, client, streams)) {
      for (const rows of decoded(decode, message)) {
        appender.append(rows.rows, rows.columns.slice(0, columns.length));
        yield rows;
      }
    }
  } finally {
    appender.close();
  }
}

function spelling(name: string, spelled: readonly string[] = []): string {
  return spelled.find((other) => other.toLowerCase() === name.toLowerCase()) ?? name;
}

/** A message that is not Arrow, or has other columns than requested, does not come from BigQuery. */
function decoded(decode: ArrowReader, message: Uint8Array): ArrowColumns[] {
  try {
    return decode(message);
  } catch (error) {
    throw new ForeignAnswer('cannot decode the rows of an answer', { cause: error });
  }
}
