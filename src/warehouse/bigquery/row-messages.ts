import type { BigQueryReadClient } from '@google-cloud/bigquery-storage';
import { within } from '../timeouts.ts';
import type { Connection } from './connection.ts';

interface RowsMessage {
  readonly arrowRecordBatch?: { readonly serializedRecordBatch?: Uint8Array };
}

/** A stream and its pending next message. */
type Awaited = Promise<{ readonly stream: AsyncIterator<RowsMessage>; readonly result: IteratorResult<RowsMessage> }>;

/**
 * The Arrow messages of several streams of a read session, one at a time in order of arrival. The next ones arrive while one
 * is being processed.
 *
 * @throws the error of the first stream that fails; SilenceError if a stream sends nothing for too long
 */
export async function* rowMessages(
  { timeouts, signal }: Pick<Connection, 'timeouts' | 'signal'>,
  client: BigQueryReadClient,
  names: readonly string[],
): AsyncGenerator<Uint8Array> {
  const calls = names.map((readStream) => {
    const call = client.readRows({ readStream, offset: 0 });
    // An error can come when no message is awaited; without a listener it would end the process.
    call.on('error', () => undefined);
    return call;
  });
  const next = (stream: AsyncIterator<RowsMessage>): Awaited => {
    const awaited = within(stream.next(), timeouts.silence, signal).then((result) => ({ stream, result }));
    // It can fail while another stream's message is being processed; `Promise.race` reports it afterwards.
    awaited.catch(() => undefined);
    return awaited;
  };
  const streams = calls.map((call) => call[Symbol.asyncIterator]() as AsyncIterator<RowsMessage>);
  const waiting = new Map(streams.map((stream) => [stream, next(stream)]));
  try {
    while (waiting.size > 0) {
      const { stream, result } = await Promise.race(waiting.values());
      if (result.done) {
        waiting.delete(stream);
        continue;
      }
      waiting.set(stream, next(stream));
      const batch = result.value.arrowRecordBatch?.serializedRecordBatch;
      if (batch !== undefined) yield batch;
    }
  } finally {
    for (const call of calls) call.cancel();
  }
}
