import type { FrozenTable } from '../domain/frozen-table.ts';
import { ScoreBatchError } from '../errors.ts';

/** Two erasures at once from the kept rows of a run: the rows that one of them has written would bring back the other's person. */
export function erasedTwice(runId: string, cause?: unknown): ScoreBatchError {
  return new ScoreBatchError('conflict', `another process has changed the rows that run ${runId} has kept`, {
    hint: 'it may erase somebody, too: run the same command again',
    cause,
  });
}

/**
 * Verifies kept rows before an erasure. Rows that another erasure has changed fail like damaged ones, but are whole.
 *
 * @param now the id of the kept rows at present
 * @throws ScoreBatchError `conflict` if another process has erased somebody since they were read, else what `verify` throws
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
