import type { Connection } from 'snowflake-sdk';
import { backoff, readTimeouts, sleep, type Timeouts, within } from '../timeouts.ts';
import { Failure, isBroken } from './failure.ts';
import { connect, type Login } from './login.ts';
import { openSession, type Session } from './session.ts';

/** A pool of connections to one account, opened on demand. */
export interface Client {
  readonly timeouts: Timeouts;
  /**
   * Runs `work` with an exclusive session. If the connection breaks, runs it again on a new one, so `work` must be
   * idempotent.
   */
  use<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Runs `work` once with an exclusive session. */
  once<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Logs out, without waiting long for Snowflake. */
  close(): Promise<void>;
}

/** Attempts of `use`, the first included. */
const ATTEMPTS = 3;

/** Attempts of a login that fails with a transient error. */
const LOGINS = 3;

/** How long `close` waits for Snowflake to end sessions. */
const LOGOUT_MS = 2000;

/** @param signal aborting it cancels the running statement and prevents new ones */
export function openClient(login: Login, tag: string, signal: AbortSignal, timeouts = readTimeouts(login.environment)): Client {
  const idle: Session[] = [];
  let closed = false;
  const take = async (): Promise<Session> => {
    signal.throwIfAborted();
    for (let session = idle.pop(); session !== undefined; session = idle.pop()) {
      if (!session.broken) return session;
      void session.close();
    }
    const connection = await logIn(login, timeouts, signal);
    try {
      return await openSession(connection, tag, { timeouts, signal, working: login.working });
    } catch (error) {
      connection.destroy(() => undefined);
      throw error;
    }
  };
  const lend = async <T>(session: Session, work: (session: Session) => Promise<T>): Promise<T> => {
    try {
      return await work(session);
    } finally {
      if (session.broken || closed) void session.close();
      else idle.push(session);
    }
  };
  return {
    timeouts,
    once: async (work) => await lend(await take(), work),
    async use(work) {
      for (let attempt = 1; ; attempt += 1) {
        // Outside the try block, because a login has its own retries.
        const session = await take();
        try {
          return await lend(session, work);
        } catch (error) {
          if (attempt === ATTEMPTS || !isBroken(error)) throw error;
          await sleep(backoff(timeouts, attempt), signal);
        }
      }
    },
    async close() {
      closed = true;
      const ends = idle.splice(0).map((session) => session.close());
      await within(Promise.all(ends), LOGOUT_MS, new AbortController().signal).catch(() => undefined);
    },
  };
}

/** Each attempt starts a new login, because its proof of identity expires. */
async function logIn(login: Login, timeouts: Timeouts, signal: AbortSignal): Promise<Connection> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await unlessAborted(connect(login), signal);
    } catch (error) {
      if (failures === LOGINS || !isTransientLogin(error)) throw error;
      await sleep(backoff(timeouts, failures, error.retryAfter), signal);
    }
  }
}

/** Whether the network failed or Snowflake was busy. Anything else is a refusal. */
function isTransientLogin(error: unknown): error is Failure {
  if (!(error instanceof Failure) || !error.broken) return false;
  const { status } = error;
  return status === undefined || status >= 500 || status === 408 || status === 429;
}

/** The driver cannot cancel a login, so a connection that arrives after the abort is closed. */
async function unlessAborted(connecting: Promise<Connection>, signal: AbortSignal): Promise<Connection> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([connecting, aborted]);
  } catch (error) {
    void connecting.then(
      (connection) => connection.destroy(() => undefined),
      () => undefined,
    );
    throw error;
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}
