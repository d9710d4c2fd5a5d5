import { closeSync, openSync, readSync } from 'node:fs';
import { type Block, blockBytes, createBlock, type Outcome } from './format.ts';

/** Cached blocks. A few are enough, because the rows of a file are almost in the order of their ordinals. */
const MAX_BLOCKS = 64;

/** Looks up outcomes by ordinal. Memory is bounded by the cached blocks, however many rows there are. */
export interface OutcomeReader {
  outcome(ordinal: number): Outcome;
  /** Copies the eight bytes stored with an outcome, the lower word first. @param into receives two words at `at` */
  words(ordinal: number, into: Uint32Array, at: number): void;
  close(): void;
}

/** @throws the file system's error if the file cannot be opened */
export function openOutcomes(file: string, batchRows: number): OutcomeReader {
  const descriptor = openSync(file, 'r');
  const size = blockBytes(batchRows);
  const kept = new Map<number, Block>();
  let last = -1;
  let block = createBlock(batchRows);
  const blockOf = (number: number): Block => {
    if (number === last) return block;
    let found = kept.get(number);
    if (found === undefined) {
      found = readBlock(number);
      kept.set(number, found);
    }
    last = number;
    block = found;
    return found;
  };
  const readBlock = (number: number): Block => {
    const oldest = kept.size < MAX_BLOCKS ? undefined : kept.keys().next().value;
    const reused = oldest === undefined ? undefined : kept.get(oldest);
    if (oldest !== undefined) kept.delete(oldest);
    const target = reused ?? createBlock(batchRows);
    let read = 0;
    while (read < size) {
      const count = readSync(descriptor, target.bytes, read, size - read, number * size + read);
      if (count === 0) break;
      read += count;
    }
    // Nothing was scored beyond the end of the file.
    target.bytes.fill(0, read);
    return target;
  };
  return {
    outcome: (ordinal) => blockOf(Math.floor(ordinal / batchRows)).outcomes[ordinal % batchRows] as number,
    words(ordinal, into, at) {
      const { words } = blockOf(Math.floor(ordinal / batchRows));
      const row = ordinal % batchRows;
      into[at] = words[2 * row] as number;
      into[at + 1] = words[2 * row + 1] as number;
    },
    close: () => closeSync(descriptor),
  };
}
