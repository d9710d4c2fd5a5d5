import type { Committed, Log } from '../log.ts';
import { reachable } from './reachable.ts';

/**
 * What a group has committed of a partition, for somebody who does not write it: the transactional id is its own, and fences nobody.
 *
 * @throws TransactionError if it should be tried again
 */
export async function lookAtCommitted(
  log: Pick<Log, 'openProducer'>,
  of: { readonly group: string; readonly topic: string; readonly partition: number },
): Promise<Committed | undefined> {
  const reader = await reachable(log.openProducer(`${of.group}-${of.topic}-${of.partition}-look`, of));
  try {
    return await reachable(reader.committed());
  } finally {
    void reader.close().catch(() => undefined);
  }
}
