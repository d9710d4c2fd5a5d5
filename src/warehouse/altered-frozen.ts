import type { FrozenChunk } from '../domain/frozen-table.ts';
import { ScoreBatchError } from '../errors.ts';

/** Somebody wrote to a run's frozen rows. They are never taken for what was frozen. @param where the table or folder, for people */
export function alteredFrozen(where: string, details: readonly string[]): ScoreBatchError {
  return new ScoreBatchError('refused', `the frozen rows in ${where} are not those that were frozen`, {
    details,
    hint: 'nothing was published; find out what wrote to them, then run the same command again: it freezes the window anew',
  });
}

/** What differs between a frozen table's chunks and the same counted again, one sentence per chunk. */
export function chunkDifferences(frozen: readonly FrozenChunk[], counted: readonly FrozenChunk[]): string[] {
  const numbers = [...new Set([...frozen, ...counted].map(({ chunk }) => chunk))].sort((a, b) => a - b);
  return numbers.flatMap((number) => {
    const [before, now] = [frozen, counted].map((chunks) => chunks.find(({ chunk }) => chunk === number));
    if (before?.rows !== now?.rows) return [`chunk ${number} had ${before?.rows ?? 0} rows and has ${now?.rows ?? 0}`];
    if (before?.checksum !== now?.checksum) return [`chunk ${number} has other keys`];
    return before?.content === now?.content ? [] : [`chunk ${number} has other values for the same keys`];
  });
}
