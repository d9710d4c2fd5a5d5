import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { ScoreBatchError } from '../errors.ts';
import { presentError } from '../terminal/error.ts';

const CLEAR = '\u001b[H\u001b[2J';

export interface Block {
  readonly data: object;
  readonly text: string;
}

/**
 * Shows a block repeatedly until a signal or `--timeout` ends the command, which is a success. On a terminal each block
 * replaces the last one. If another process occupies the warehouse, the next block is delayed.
 *
 * @param make creates the block at `now`, epoch milliseconds
 * @throws the error of `make`, unless a retry may help
 */
export async function watch(
  seconds: number,
  make: (now: number) => Promise<Block>,
  show: (block: Block) => void,
  { now, signal, console }: Context,
): Promise<void> {
  const began = performance.now();
  while (!signal.aborted) {
    try {
      const block = await make(now + performance.now() - began);
      if (process.stdout.isTTY) process.stdout.write(CLEAR);
      show(block);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ScoreBatchError && (error.kind === 'conflict' || error.kind === 'unavailable'))) throw error;
      console.warn(presentError(error).message);
    }
    await sleep(1000 * seconds, undefined, { signal }).catch(() => undefined);
  }
}
