import type { FrozenChunk, FrozenTable } from '../domain/frozen-table.ts';
import { ScoreBatchError } from '../errors.ts';

/**
 * Another process wrote to a run's frozen rows, so they cannot be scored or published.
 *
 * @param where the table or folder, as shown to the user
 */
export function alteredFrozen(where: string, details: readonly string[]): ScoreBatchError {
  return new ScoreBatchError('refused', `the frozen rows in ${where} changed after they were frozen`, {
    details,
    hint: 'nothing was published; find the process that changed them, then run the same command again: it freezes the window again',
  });
}

/** Differences between the chunks as frozen and as counted now, one sentence per chunk. */
export function chunkDifferences(frozen: readonly FrozenChunk[], counted: readonly FrozenChunk[]): string[] {
  const numbers = [...new Set([...frozen, ...counted].map(({ chunk }) => chunk))].sort((a, b) => a - b);
  return numbers.flatMap((number) => {
    const [before, now] = [frozen, counted].map((chunks) => chunks.find(({ chunk }) => chunk === number));
    if (before?.rows !== now?.rows) return [`chunk ${number} had ${before?.rows ?? 0} rows and has ${now?.rows ?? 0}`];
    if (before?.checksum !== now?.checksum) return [`chunk ${number} has different keys`];
    return before?.content === now?.content ? [] : [`chunk ${number} has different values for the same keys`];
  });
}

/** @param read number of rows read of the chunk @throws ScoreBatchError `refused` if another number of rows was frozen */
export function refuseOtherRows({ chunks }: FrozenTable, chunk: number, read: number, where: string): void {
  const frozen = chunks.find((other) => other.chunk === chunk)?.rows ?? 0;
  if (read !== frozen) throw alteredFrozen(where, [`chunk ${chunk} had ${frozen} rows and has ${read}`]);
}
