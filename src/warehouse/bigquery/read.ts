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
  /** Columns of the table that is made in DuckDB. */
  readonly columns: readonly TableColumn[];
  /** Columns that are read beside them and go nowhere by themselves. */
  readonly others?: readonly TableColumn[];
  /** Names as the table spells them, where that may be in another case than `columns`: names of fields to read are taken literally. */
  readonly spelled?: readonly string[];
  /** Condition on the table's columns. */
  readonly restriction: string;
  /** Temporary table of the in-memory DuckDB that is made, or made anew. */
  readonly into: string;
}

/** Rows that were appended. */
export interface AppendedRows extends ArrowColumns {
  /** Which reading of the table they are of; rows of earlier ones are in the table no more. */
  readonly attempt: number;
}

/** More do not help: all of them are read by one thread. */
const STREAMS = 4;

/** Reads a table, or a part of it, into DuckDB; see `readRows`. */
export async function readTable(connection: Connection, database: Database, read: TableRead): Promise<void> {
  for await (const _ of readRows(connection, database, read));
}

/**
 * Reads a table, or a part of it, through the Storage Read API: columns in Arrow, several streams at once, copied whole into
 * DuckDB's vectors. A read that breaks or falls silent begins anew, on a new connection, with the table emptied: its streams
 * could be resumed at their offsets, but which of the rows that DuckDB was given are in the table is certain only at the end.
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
  const asked = client.createReadSession(
    {
      parent: `projects/${connection.home.project}`,
      readSession: {
        table: `projects/${table.project}/datasets/${table.dataset}/tables/${table.table}`,
        dataFormat: 'ARROW',
        // Not compressed: apache-arrow has no codec of its own.
        readOptions: { selectedFields: all.map(({ name }) => spelling(name, read.spelled)), rowRestriction: restriction },
      },
      maxStreamCount: STREAMS,
    },
    // What is tried again is decided here, as everywhere.
    { retry: null, timeout: timeouts.silence },
  );
  const [session] = await within(asked, timeouts.silence, signal);
  const schema = session.arrowSchema?.serializedSchema as Uint8Array | undefined;
  if (schema === undefined) throw new ForeignAnswer(`a read of ${table.table} has no schema`);
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

/** What is not Arrow, or has other columns than were asked for, is an answer of something else. */
function decoded(decode: ArrowReader, message: Uint8Array): ArrowColumns[] {
  try {
    return decode(message);
  } catch (error) {
    throw new ForeignAnswer('rows came in a form that cannot be read', { cause: error });
  }
}
