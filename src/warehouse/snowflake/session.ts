import type { Readable } from 'node:stream';
import type { Bind, Connection, RowStatement, StatementOption } from 'snowflake-sdk';
import { ScoreBatchError } from '../../errors.ts';
import type { TextRow } from '../reader.ts';
import { SilenceError, type Timeouts, within } from '../timeouts.ts';
import type { Working } from '../warehouse.ts';
import { literal } from './dialect.ts';
import { isBroken, silence, toFailure } from './failure.ts';
import { readBatches } from './row-batches.ts';

export interface Statement {
  readonly binds?: readonly Bind[];
  /** Tag of the statement in Snowflake's query history; see `queryTag`. */
  readonly tag?: string;
  /** Timeout, milliseconds; by default only the limit for statements that run in the server. */
  readonly within?: number;
}

/** A result column as described by the driver. */
export interface ResultColumn {
  readonly name: string;
  /** `fixed`, `text`, `timestamp_tz`, … */
  readonly type: string;
  readonly precision: number;
  readonly scale: number;
}

/** A connection that runs one statement at a time. Result values are text. All methods throw `Failure`. */
export interface Session {
  rows(sql: string, statement?: Statement): Promise<TextRow[]>;
  /** Columns of a query; does not run it. */
  describe(sql: string, statement?: Statement): Promise<ResultColumn[]>;
  /** Rows in batches; fails if their number differs from the one Snowflake announced. */
  stream(sql: string, statement?: Statement): Promise<AsyncIterable<readonly TextRow[]>>;
  /** Whether an error or an abort made it unusable. */
  readonly broken: boolean;
  /** Marks it so that it is not reused after the current work. */
  retire(): void;
  /** Settles when Snowflake has ended the session. Waiting is optional: sessions expire. */
  close(): Promise<void>;
}

/** Limit for a statement, including queueing. */
const STATEMENT_SECONDS = 4 * 3600;

/** How long a statement waits for another transaction's lock. */
const LOCK_SECONDS = 60;

/** How long to wait for a cancelled statement to end. */
const CANCEL_MS = 5000;

/** Parameters that we rely on and that an account can override. */
const PARAMETERS: Readonly<Record<string, string | number | boolean>> = {
  TIMEZONE: 'UTC',
  STATEMENT_TIMEOUT_IN_SECONDS: STATEMENT_SECONDS,
  LOCK_TIMEOUT: LOCK_SECONDS,
  // A failed statement must not leave a transaction that could still be committed.
  TRANSACTION_ABORT_ON_ERROR: true,
  // Statements of a killed client end with it.
  ABORT_DETACHED_QUERY: true,
  ROWS_PER_RESULTSET: 0,
  QUOTED_IDENTIFIERS_IGNORE_CASE: false,
  TIMESTAMP_INPUT_FORMAT: 'AUTO',
  DATE_INPUT_FORMAT: 'AUTO',
};

export interface SessionOptions {
  readonly timeouts: Timeouts;
  readonly signal: AbortSignal;
  /** Notified of each statement while it runs. */
  readonly working?: Working | undefined;
}

/** Configures a connection for use. @param tag default tag of statements; see `queryTag` */
export async function openSession(connection: Connection, tag: string, options: SessionOptions): Promise<Session> {
  const session = sessionOf(connection, options);
  const settings = Object.entries({ ...PARAMETERS, QUERY_TAG: tag }).map(
    ([name, value]) => `${name} = ${typeof value === 'string' ? literal(value) : String(value).toUpperCase()}`,
  );
  await session.rows(`ALTER SESSION SET ${settings.join(', ')}`);
  return session;
}

function sessionOf(connection: Connection, { timeouts, signal, working }: SessionOptions): Session {
  let broken = false;
  const broke = () => {
    broken = true;
  };
  const run = async (options: StatementOption, limit?: number): Promise<RowStatement> => {
    signal.throwIfAborted();
    let running: RowStatement | undefined;
    const done = new Promise<RowStatement>((resolve, reject) => {
      running = connection.execute({
        ...options,
        rowMode: 'array',
        // If the driver collects the rows itself, it resends a statement whose error has no SQLSTATE.
        streamResult: true,
        complete: (error, statement) => (error ? reject(toFailure(error)) : resolve(statement)),
      });
    });
    const cancel = () => running?.cancel(() => undefined);
    // Snowflake reports the id of a long-running statement with its first answer, after 45 seconds.
    const ended = working?.('query', () => running?.getQueryId() || undefined);
    try {
      return await within(done, limit ?? timeouts.job, signal);
    } catch (error) {
      if (signal.aborted) {
        broke();
        cancel();
        // Until the statement has ended, its locks and the objects that it creates may still exist.
        await within(done, CANCEL_MS, new AbortController().signal).catch(() => undefined);
        throw signal.reason;
      }
      if (error instanceof SilenceError) {
        // It is unknown whether the statement ran, and which transaction is open.
        broke();
        cancel();
        throw limit === undefined ? tooLong(timeouts.job) : silence(error.message);
      }
      broken ||= isBroken(error) || error instanceof ScoreBatchError;
      throw error;
    } finally {
      ended?.();
    }
  };
  const stream = async (sql: string, statement?: Statement): Promise<AsyncIterable<readonly TextRow[]>> => {
    const streamed = await run(optionsOf(sql, statement), statement?.within);
    const { silence: longest } = timeouts;
    return readBatches(streamed.streamRows() as Readable, { rows: streamed.getNumRows(), silence: longest, signal, broke });
  };
  return {
    async rows(sql, statement) {
      const rows: TextRow[] = [];
      for await (const batch of await stream(sql, statement)) for (const row of batch) rows.push(row.map(textOf));
      return rows;
    },
    async describe(sql, statement) {
      const described = await run({ ...optionsOf(sql, statement), describeOnly: true });
      return (described.getColumns() ?? []).map((column) => ({
        name: column.getName(),
        type: column.getType().toLowerCase(),
        precision: column.getPrecision(),
        scale: column.getScale(),
      }));
    },
    stream,
    get broken() {
      return broken || !connection.isUp();
    },
    retire: broke,
    close: () => new Promise((resolve) => connection.destroy(() => resolve())),
  };
}

/** Snowflake stops a statement itself after `STATEMENT_SECONDS`, so this one will never report an end. */
function tooLong(ms: number): ScoreBatchError {
  return new ScoreBatchError(
    'unavailable',
    `a statement is still running in Snowflake after ${Math.round(ms / 60_000)} minutes`,
    {
      hint: 'cancel it in the query history, then run the same command again',
    },
  );
}

function optionsOf(sqlText: string, { binds, tag }: Statement = {}): StatementOption {
  return { sqlText, ...(binds && { binds }), ...(tag !== undefined && { parameters: { QUERY_TAG: tag } }) };
}

/** Our statements select everything as text except booleans and small numbers. */
function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** A query tag. Snowflake stores up to 2000 characters. */
export function queryTag(job: string, runId?: string): string {
  return JSON.stringify({ app: 'score-batch', job, ...(runId !== undefined && { run: runId }) }).slice(0, 2000);
}
