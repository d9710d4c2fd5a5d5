import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';

/** Waits for a thread's setup, which may come long after the thread loaded its code. @returns undefined if it should end instead */
export async function receiveSetup<Setup>(port: MessagePort): Promise<Setup | undefined> {
  const [message] = (await once(port, 'message')) as [Setup | 'stop'];
  return message === 'stop' ? undefined : message;
}
