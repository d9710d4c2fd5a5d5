import type { LogBatch } from '../log.ts';
import type { Client } from './client.ts';
import { WAITING_BYTES } from './partition-run.ts';
import { createReader } from './reader.ts';

interface Reading {
  readonly topic: string;
  /** Offset per partition. */
  readonly from: ReadonlyMap<number, number>;
  readonly batch: (batch: LogBatch) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Reads partitions without a group until the signal is aborted, a batch after the other. Closes the client. */
export async function readPartitions(client: Client, { topic, from, batch, signal }: Reading): Promise<void> {
  const waiting: { readonly batch: LogBatch; readonly bytes: number }[] = [];
  let bytesWaiting = 0;
  let wake = () => {};
  let failure: { readonly error: unknown } | undefined;
  const reader = createReader({
    client,
    topic,
    wants: () => waiting.length < from.size + 1 && bytesWaiting < WAITING_BYTES,
    deliver(read, bytes) {
      waiting.push({ batch: read, bytes });
      bytesWaiting += bytes;
      wake();
    },
    fail(error) {
      failure = { error };
      wake();
    },
  });
  const abort = () => wake();
  signal.addEventListener('abort', abort);
  for (const [partition, offset] of from) reader.seek(partition, offset);
  try {
    while (!signal.aborted) {
      const next = waiting.shift();
      if (next !== undefined) {
        bytesWaiting -= next.bytes;
        reader.wake();
        await batch(next.batch);
        continue;
      }
      if (failure !== undefined) throw failure.error;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener('abort', abort);
    reader.close();
    await client.close();
  }
}
