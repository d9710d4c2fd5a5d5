import { AsyncLocalStorage } from 'node:async_hooks';

// DuckDB locks a file for the whole process, and closing any handle on the file drops that lock. So runs that share a process use a file
// one after the other.

/** By path: settles when the most recently requested work has ended. */
const QUEUES = new Map<string, Promise<void>>();

/** Paths whose turn the current work holds. */
const HELD = new AsyncLocalStorage<ReadonlySet<string>>();

/**
 * Runs `work` once everything requested before has ended. Nested work on the same file does not wait: it already has the turn.
 */
export async function inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
  const held = HELD.getStore();
  if (held?.has(path)) return await work();
  using _turn = await takeTurn(path);
  return await HELD.run(new Set([...(held ?? []), path]), work);
}

/** Waits for the turn, which ends when the result is disposed of. */
export async function takeTurn(path: string): Promise<Disposable> {
  const before = QUEUES.get(path);
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const last = (before ?? Promise.resolve()).then(() => ended);
  QUEUES.set(path, last);
  void last.then(() => {
    if (QUEUES.get(path) === last) QUEUES.delete(path);
  });
  await before;
  return { [Symbol.dispose]: end };
}
