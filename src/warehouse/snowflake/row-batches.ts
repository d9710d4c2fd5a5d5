import type { Readable } from 'node:stream';
import { counted, grouped } from '../../domain/counted.ts';
import type { TextRow } from '../reader.ts';
import { silence, toFailure } from './failure.ts';

/** Rows per batch. */
const BATCH = 20 * 2048;

export interface ReadOptions {
  /** Number of rows that Snowflake announced; undefined if it did not. */
  readonly rows: number | undefined;
  /** A stream that receives nothing for this long has failed, milliseconds. */
  readonly silence: number;
  readonly signal: AbortSignal;
  /** Called if the stream fails or is abandoned before its end: the driver cannot resume it. */
  readonly broke: () => void;
}

/** Rows of a result in batches; every value is text or null. */
export async function* readBatches(
  stream: Readable,
  { rows, silence: longest, signal, broke }: ReadOptions,
): AsyncGenerator<readonly TextRow[]> {
  let ended = false;
  let read = 0;
  let failure: unknown;
  let wake: () => void = () => undefined;
  const woken = (work: (value?: unknown) => void) => (value?: unknown) => {
    work(value);
    wake();
  };
  const readable = woken(() => undefined);
  stream.on('readable', readable);
  stream.on(
    'end',
    woken(() => {
      ended = true;
    }),
  );
  stream.on(
    'error',
    woken((error) => {
      failure = toFailure(error);
    }),
  );
  signal.addEventListener('abort', readable);
  try {
    let batch: TextRow[] = [];
    for (;;) {
      signal.throwIfAborted();
      for (let row: TextRow | null = stream.read(); row !== null; row = stream.read()) {
        batch.push(row);
        read += 1;
        if (batch.length < BATCH) continue;
        yield batch;
        batch = [];
        signal.throwIfAborted();
      }
      if (failure !== undefined) throw failure;
      if (ended && rows !== undefined && read !== rows) {
        ended = false;
        throw silence(`${grouped(read)} of ${counted(rows, 'row')} arrived`);
      }
      if (ended) break;
      await new Promise<void>((resolve) => {
        const late = setTimeout(() => {
          failure = silence(`nothing arrived for ${longest / 1000} s`);
          resolve();
        }, longest);
        wake = () => {
          clearTimeout(late);
          resolve();
        };
      });
    }
    if (batch.length > 0) yield batch;
  } finally {
    signal.removeEventListener('abort', readable);
    if (!ended) broke();
    stream.destroy();
  }
}
