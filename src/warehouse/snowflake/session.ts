import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bind, Connection, RowStatement, StatementOption } from 'snowflake-sdk';
import { ScoreBatchError } from '../../errors.ts';
import type { TextRow } from '../sql/tally.ts';
import type { Timeouts } from '../timeouts.ts';
import { literal } from './dialect.ts';
import { isBroken, silence, toFailure } from './failure.ts';
import { readBatches } from './row-batches.ts';

export interface Statement {
  readonly binds?: readonly Bind[];
  /** What Snowflake shows beside the statement, and keeps in its history; see `queryTag`. */
  readonly tag?: string;
  /** Milliseconds that it may take; what runs in the server alone may take its time. */
  readonly within?: number;
}

/** A column of a result as the driver tells of it. */
export interface ResultColumn {
  readonly name: string;
  /** `fixed`, `text`, `timestamp_tz`, … */
  readonly type: string;
  readonly precision: number;
  readonly scale: number;
}

/** One connection: one statement at a time. Values of results come as text. Everything throws `Failure`. */
export interface Session {
  rows(sql: string, statement?: Statement): Promise<TextRow[]>;
  /** Columns of a query, which is not run. */
  describe(sql: string, statement?: Statement): Promise<ResultColumn[]>;
  /** Rows in batches; ends in a failure where others arrive than Snowflake says there are. */
  stream(sql: string, statement?: Statement): Promise<AsyncIterable<readonly TextRow[]>>;
  /** Whether an error or an abort left it unusable. */
  readonly broken: boolean;
  /** Lets it do no more than what runs. */
  retire(): void;
  /** Settles when Snowflake knows; nobody has to wait for it: a session that is not ended ends by itself. */
  close(): Promise<void>;
}

/** The longest that a statement may take, queueing included. */
const STATEMENT_SECONDS = 4 * 3600;

/** How long a statement waits for another transaction's lock. */
const LOCK_SECONDS = 60;

/** How long a statement that is cancelled is waited for. */
const CANCEL_MS = 5000;

/** What an account may have set otherwise, and this program relies on. */
const PARAMETERS: Readonly<Record<string, string | number | boolean>> = {
  TIMEZONE: 'UTC',
  STATEMENT_TIMEOUT_IN_SECONDS: STATEMENT_SECONDS,
  LOCK_TIMEOUT: LOCK_SECONDS,
  // A failed statement must not leave a transaction that could still be committed.
  TRANSACTION_ABORT_ON_ERROR: true,
  // What a client that was killed had running ends with it.
  ABORT_DETACHED_QUERY: true,
  ROWS_PER_RESULTSET: 0,
  QUOTED_IDENTIFIERS_IGNORE_CASE: false,
  TIMESTAMP_INPUT_FORMAT: 'AUTO',
  DATE_INPUT_FORMAT: 'AUTO',
};

export interface SessionOptions {
  readonly timeouts: Timeouts;
  readonly signal: AbortSignal;
}

/** Makes a connection ready for use. @param tag for statements that have none of their own; see `queryTag` */
export async function openSession(connection: Connection, tag: string, { timeouts, signal }: SessionOptions): Promise<Session> {
  const session = sessionOf(connection, { timeouts, signal });
  const settings = Object.entries({ ...PARAMETERS, QUERY_TAG: tag }).map(
    ([name, value]) => `${name} = ${typeof value === 'string' ? literal(value) : String(value).toUpperCase()}`,
  );
  await session.rows(`ALTER SESSION SET ${settings.join(', ')}`);
  return session;
}

function sessionOf(connection: Connection, { timeouts, signal }: SessionOptions): Session {
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
        // Where it collects the rows itself, the driver sends a statement again whose error has no SQL state.
        streamResult: true,
        complete: (error, statement) => (error ? reject(toFailure(error)) : resolve(statement)),
      });
    });
    let stopped: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      stopped = () => {
        broke();
        running?.cancel(() => undefined);
        // Until it has ended, what it locks or makes may still be there.
        void Promise.race([done.catch(() => undefined), sleep(CANCEL_MS, undefined, { ref: false })]).then(() =>
          reject(signal.reason),
        );
      };
      signal.addEventListener('abort', stopped, { once: true });
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        running?.cancel(() => undefined);
        reject(limit === undefined ? tooLong(timeouts.job) : silence(`no answer for ${limit / 1000} s`));
      }, limit ?? timeouts.job);
    });
    try {
      const ended = done.catch((error: unknown) => (signal.aborted ? aborted : Promise.reject(error)));
      return await Promise.race([ended, aborted, late]);
    } catch (error) {
      // What is given up on this side leaves it open whether the statement ran, and with it what transaction there is.
      broken ||= isBroken(error) || error instanceof ScoreBatchError;
      throw error;
    } finally {
      clearTimeout(timer);
      if (stopped) signal.removeEventListener('abort', stopped);
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

/** Snowflake ends a statement itself after `STATEMENT_SECONDS`; one that goes on is one of which nobody will hear. */
function tooLong(ms: number): ScoreBatchError {
  return new ScoreBatchError('unavailable', `a statement still runs in Snowflake after ${Math.round(ms / 60_000)} minutes`, {
    hint: 'look at the query history and cancel it there, then start the same command again',
  });
}

function optionsOf(sqlText: string, { binds, tag }: Statement = {}): StatementOption {
  return { sqlText, ...(binds && { binds }), ...(tag !== undefined && { parameters: { QUERY_TAG: tag } }) };
}

/** Booleans and small numbers are the only values that our statements do not select as text. */
function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** Snowflake keeps 2000 characters. */
export function queryTag(job: string, runId?: string): string {
  return JSON.stringify({ app: 'score-batch', job, ...(runId !== undefined && { run: runId }) }).slice(0, 2000);
}
