import type { Connection } from 'snowflake-sdk';
import { backoff, readTimeouts, sleep, type Timeouts, within } from '../timeouts.ts';
import { Failure, isBroken } from './failure.ts';
import { connect, type Login } from './login.ts';
import { openSession, type Session } from './session.ts';

/** Connections to one account, made when they are needed and used again. */
export interface Client {
  readonly timeouts: Timeouts;
  /** Works with a session of its own; what fails with its connection is begun again on a fresh one, so it must bear that. */
  use<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Works with a session of its own, once. */
  once<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Logs out, as far as Snowflake answers soon. */
  close(): Promise<void>;
}

/** How often work is begun in all. */
const ATTEMPTS = 3;

/** How often a login is tried in all, where it is not refused. */
const LOGINS = 3;

/** How long Snowflake is waited for that sessions are over. */
const LOGOUT_MS = 2000;

/** @param signal aborting it ends the statement that runs, and lets no other begin */
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
      return await openSession(connection, tag, { timeouts, signal });
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
        // Outside: a login is tried several times already.
        const session = await take();
        try {
          return await lend(session, work);
        } catch (error) {
          if (attempt === ATTEMPTS || !isBroken(error)) throw error;
          await pause(attempt, signal);
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

/** A login is made anew each time: what it proves itself with ages. */
async function logIn(login: Login, timeouts: Timeouts, signal: AbortSignal): Promise<Connection> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await unlessAborted(connect(login), signal);
    } catch (error) {
      if (failures === LOGINS || !mayPass(error)) throw error;
      await sleep(backoff(timeouts, failures, error.retryAfter), signal);
    }
  }
}

/** Whether it was the network that failed, or Snowflake was busy; else it is a refusal. */
function mayPass(error: unknown): error is Failure {
  if (!(error instanceof Failure) || !error.broken) return false;
  const { status } = error;
  return status === undefined || status >= 500 || status === 408 || status === 429;
}

/** The driver cannot be told to stop logging in; a connection that comes too late is let go. */
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

/** Waits a while that grows and varies, so that many who failed together do not come back together. */
export async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  await sleep(2 ** attempt * (50 + Math.random() * 100), signal);
}
