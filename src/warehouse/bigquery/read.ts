import type { BigQueryReadClient } from '@google-cloud/bigquery-storage';
import type { TableColumn } from '../../domain/tables.ts';
import { type ColumnAppender, openColumnAppender } from '../../duckdb/append-columns.ts';
import type { Database } from '../../duckdb/database.ts';
import { identifier } from '../../duckdb/sql.ts';
import { duckdbType } from '../../duckdb/types.ts';
import { ForeignAnswer } from '../foreign-answer.ts';
import { within } from '../pace.ts';
import { beforeRetry } from '../retry.ts';
import { readBatches } from './arrow.ts';
import type { Connection } from './connection.ts';
import { isTransient } from './failure.ts';
import type { FullName } from './names.ts';

export interface TableRead {
  readonly table: FullName;
  readonly columns: readonly TableColumn[];
  /** Names as the table spells them, where that may be in another case than `columns`: names of fields to read are taken literally. */
  readonly spelled?: readonly string[];
  /** Condition on the table's columns. */
  readonly restriction: string;
  /** Temporary table of the in-memory DuckDB that is made, or made anew. */
  readonly into: string;
}

/** More do not help: all of them are read by one thread. */
const STREAMS = 4;

interface RowsMessage {
  readonly arrowRecordBatch?: { readonly serializedRecordBatch?: Uint8Array };
}

/**
 * Reads a table, or a part of it, through the Storage Read API: columns in Arrow, several streams at once, copied whole into
 * DuckDB's vectors. A read that breaks or falls silent begins anew, on a new connection, with the table emptied: its streams
 * could be resumed at their offsets, but which of the rows that DuckDB was given are in the table is certain only at the end.
 */
export async function readTable(connection: Connection, database: Database, read: TableRead): Promise<void> {
  for (let failures = 1; ; failures += 1) {
    try {
      await readOnce(connection, database, read);
      return connection.budget.earn();
    } catch (error) {
      connection.signal.throwIfAborted();
      if (!isTransient(error)) throw error;
      connection.storage.close();
      await beforeRetry(connection, failures, error);
    }
  }
}

async function readOnce(connection: Connection, database: Database, read: TableRead): Promise<void> {
  const { table, columns, restriction, into } = read;
  const { pace, signal: outer } = connection;
  const client = await within(connection.storage.get(), pace.request, outer);
  const definitions = columns.map((column) => `${identifier(column.name)} ${duckdbType(column)}`);
  await database.run(`CREATE OR REPLACE TEMP TABLE ${identifier(into)} (${definitions.join(', ')})`);
  const asked = client.createReadSession(
    {
      parent: `projects/${connection.home.project}`,
      readSession: {
        table: `projects/${table.project}/datasets/${table.dataset}/tables/${table.table}`,
        dataFormat: 'ARROW',
        // Not compressed: apache-arrow has no codec of its own.
        readOptions: { selectedFields: columns.map(({ name }) => spelling(name, read.spelled)), rowRestriction: restriction },
      },
      maxStreamCount: STREAMS,
    },
    // What is tried again is decided here, as everywhere.
    { retry: null, timeout: pace.silence },
  );
  const [session] = await within(asked, pace.silence, outer);
  const schema = session.arrowSchema?.serializedSchema as Uint8Array | undefined;
  if (schema === undefined) throw new ForeignAnswer(`a read of ${table.table} has no schema`);
  const appender = await openColumnAppender(database, into);
  const ended = new AbortController();
  const signal = AbortSignal.any([outer, ended.signal]);
  try {
    const streams = (session.streams ?? []).map(({ name }) => name ?? '');
    await Promise.all(streams.map((stream) => drain({ ...connection, signal }, client, stream, schema, columns, appender)));
  } finally {
    // Where one stream failed the others must not append any more.
    ended.abort(new Error('another stream of the read failed'));
    appender.close();
  }
}

function spelling(name: string, spelled: readonly string[] = []): string {
  return spelled.find((other) => other.toLowerCase() === name.toLowerCase()) ?? name;
}

async function drain(
  { pace, signal }: Pick<Connection, 'pace' | 'signal'>,
  client: BigQueryReadClient,
  readStream: string,
  schema: Uint8Array,
  columns: readonly TableColumn[],
  appender: ColumnAppender,
): Promise<void> {
  const stream = client.readRows({ readStream, offset: 0 });
  // An error may come when nobody waits for a message any more; without a listener the process would end.
  stream.on('error', () => undefined);
  const messages = stream[Symbol.asyncIterator]() as AsyncIterator<RowsMessage>;
  try {
    for (;;) {
      const { done, value } = await within(messages.next(), pace.silence, signal);
      if (done) return;
      const batch = value.arrowRecordBatch?.serializedRecordBatch;
      if (batch === undefined) continue;
      // After another stream failed the table may be made anew already.
      signal.throwIfAborted();
      for (const { rows, columns: appended } of decoded(schema, batch, columns)) appender.append(rows, appended);
    }
  } finally {
    stream.cancel();
  }
}

/** What is not Arrow, or has other columns than were asked for, is an answer of something else. */
function decoded(...message: Parameters<typeof readBatches>): ReturnType<typeof readBatches> {
  try {
    return readBatches(...message);
  } catch (error) {
    throw new ForeignAnswer('rows came in a form that cannot be read', { cause: error });
  }
}
