import type { Client } from './client.ts';
import { isUnknownTopic } from './failure.ts';
import { sleep } from './retry.ts';

/** How long a topic may be unknown that was there. */
const UNKNOWN_MS = 15_000;
const PAUSE_MS = 500;

/**
 * Asks again where a broker says that there is no such topic, although there was: one that just started may not know it yet.
 *
 * @throws the protocol's error if it is unknown for too long
 */
export async function whileUnknown<T>(client: Pick<Client, 'closed' | 'refresh'>, ask: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + UNKNOWN_MS; ; ) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnknownTopic(error) || performance.now() > deadline) throw error;
      await sleep(PAUSE_MS, client.closed);
      if (client.closed.aborted) throw error;
      await client.refresh().catch(() => undefined);
    }
  }
}
