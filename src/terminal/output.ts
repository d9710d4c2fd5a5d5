import { fstatSync, writeFileSync } from 'node:fs';
import { ScoreBatchError, systemCode } from '../errors.ts';

/** What a command prints for programs and people: unlike what it logs, it must arrive. */
export interface Output {
  write(text: string): void;
  /**
   * Settles once all of it was taken.
   *
   * @returns why it was not; undefined where it was, or where nobody reads on: `score-batch status | head` is no failure
   */
  failure(): Promise<Error | undefined>;
}

/** @param stream without a file descriptor where it is no stream of the process */
export function createOutput(stream: NodeJS.WritableStream & { readonly fd?: number }): Output {
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

/** Node's stream takes the first part of a write for all of it where a disk is nearly full. */
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

/** What to tell of output that did not arrive. @param data the object that it was to show */
export function outputError(cause: Error, data: unknown): ScoreBatchError {
  const reason = cause.message.split(', ')[0];
  const state = field(data, 'state');
  const run = field(data, 'run_id');
  if (state === undefined || run === undefined) {
    return new ScoreBatchError('report', `stdout cannot be written: ${reason}`, {
      hint: 'make room, or send stdout elsewhere, and start the same command again',
      cause,
    });
  }
  return new ScoreBatchError('report', `the run is ${state}, but stdout cannot be written: ${reason}`, {
    hint: 'do not run the window again for this: `score-batch status --json` shows the run',
    cause,
  });
}

function field(data: unknown, name: string): string | undefined {
  const value: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, name) : undefined;
  return typeof value === 'string' ? value : undefined;
}
