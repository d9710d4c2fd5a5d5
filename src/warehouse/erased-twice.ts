import type { FrozenTable } from '../domain/frozen-table.ts';
import { ScoreBatchError } from '../errors.ts';

/**
 * The error of two concurrent erasures from a run's kept rows: rows written by one of them would bring back the other's person.
 */
export function erasedTwice(runId: string, cause?: unknown): ScoreBatchError {
  return new ScoreBatchError('conflict', `another process changed the rows that run ${runId} kept`, {
    hint: 'run the same command again; the other process may also be erasing somebody',
    cause,
  });
}

/**
 * Verifies kept rows before an erasure. Rows changed by another erasure fail like damaged ones, but are intact.
 *
 * @param now returns the present id of the kept rows
 * @throws ScoreBatchError `conflict` if another process has erased somebody since they were read, otherwise what `verify`
 * throws
 */
export async function verifyBefore(
  { id, runId }: Pick<FrozenTable, 'id' | 'runId'>,
  verify: () => Promise<void>,
  now: () => Promise<string | undefined>,
): Promise<void> {
  try {
    await verify();
  } catch (error) {
    const other = await now().catch(() => undefined);
    throw other === undefined || other === id ? error : erasedTwice(runId, error);
  }
}
