import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'snowflake-sdk';
import { Failure } from './failure.ts';
import { connect, type Login } from './login.ts';
import { openSession, type Session } from './session.ts';

/** Connections to one account, made when they are needed and used again. */
export interface Client {
  /** Works with a session of its own; what fails with its connection is begun again on a fresh one, so it must bear that. */
  use<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Works with a session of its own, once. */
  once<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** How often work is begun in all. */
const ATTEMPTS = 3;

/** @param signal aborting it ends the statement that runs, and lets no other begin */
export function openClient(login: Login, tag: string, signal: AbortSignal): Client {
  const idle: Session[] = [];
  let closed = false;
  const take = async (): Promise<Session> => {
    signal.throwIfAborted();
    for (let session = idle.pop(); session !== undefined; session = idle.pop()) {
      if (!session.broken) return session;
      session.close();
    }
    const connection = await unlessAborted(connect(login), signal);
    try {
      return await openSession(connection, tag, signal);
    } catch (error) {
      connection.destroy(() => undefined);
      throw error;
    }
  };
  const lend = async <T>(session: Session, work: (session: Session) => Promise<T>): Promise<T> => {
    try {
      return await work(session);
    } finally {
      if (session.broken || closed) session.close();
      else idle.push(session);
    }
  };
  return {
    once: async (work) => await lend(await take(), work),
    async use(work) {
      for (let attempt = 1; ; attempt += 1) {
        // Outside: a login is tried several times by the driver.
        const session = await take();
        try {
          return await lend(session, work);
        } catch (error) {
          if (attempt === ATTEMPTS || !(error instanceof Failure) || !error.broken) throw error;
          await pause(attempt, signal);
        }
      }
    },
    async close() {
      closed = true;
      for (const session of idle.splice(0)) session.close();
    },
  };
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
export async function pause(attempt: number, signal?: AbortSignal): Promise<void> {
  await sleep(2 ** attempt * (50 + Math.random() * 100), undefined, signal && { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
}
