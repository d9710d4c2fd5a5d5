import { fstatSync, writeFileSync } from 'node:fs';
import { ScoreBatchError, systemCode } from '../errors.ts';

/** Writes a command's result to stdout. Unlike logs, it must not be lost. */
export interface Output {
  write(text: string): void;
  /**
   * Waits until everything is written.
   *
   * @returns the cause if a write failed; undefined on success, or if the reader closed the pipe: `score-batch status | head`
   * is not a failure
   */
  failure(): Promise<Error | undefined>;
}

/** @param stream has a file descriptor only if it belongs to the process */
export function createOutput(stream: NodeJS.WritableStream & { readonly fd?: number; readonly isTTY?: boolean }): Output {
  const { fd } = stream;
  const file = fd !== undefined && isFile(fd);
  const writes: Promise<unknown>[] = [];
  return {
    write(text) {
      writes.push(file ? writeWhole(fd, text) : new Promise((resolve) => stream.write(text, resolve)));
    },
    async failure() {
      const first = (await Promise.all(writes)).find((error) => error instanceof Error);
      return first === undefined || systemCode(first) === 'EPIPE' ? undefined : first;
    },
  };
}

/** If the disk is nearly full, Node's stream treats a partial write as complete; `writeFileSync` does not. */
async function writeWhole(fd: number, text: string): Promise<unknown> {
  try {
    return writeFileSync(fd, text);
  } catch (error) {
    return error;
  }
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** The error for output that could not be written. @param data the object that the output shows */
export function outputError(cause: Error, data: unknown): ScoreBatchError {
  const reason = cause.message.split(', ')[0];
  const state = field(data, 'state');
  const run = field(data, 'run_id');
  if (state === undefined || run === undefined) {
    return new ScoreBatchError('report', `stdout cannot be written: ${reason}`, {
      hint: 'free some space or redirect stdout, then run the same command again',
      cause,
    });
  }
  return new ScoreBatchError('report', `the run is ${state}, but stdout cannot be written: ${reason}`, {
    hint: 'do not run the window again: `score-batch status --json` shows the run',
    cause,
  });
}

function field(data: unknown, name: string): string | undefined {
  const value: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, name) : undefined;
  return typeof value === 'string' ? value : undefined;
}
