import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';

/** What a thread is told to do; undefined where it is told to end. It may take long, and the thread has loaded its code meanwhile. */
export async function received<Setup>(port: MessagePort): Promise<Setup | undefined> {
  const [message] = (await once(port, 'message')) as [Setup | 'stop'];
  return message === 'stop' ? undefined : message;
}
