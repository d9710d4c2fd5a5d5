import { Readable } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { readBatches } from '../../../src/warehouse/snowflake/row-batches.ts';

const NEVER = new AbortController().signal;

function silentAfter(rows: readonly string[]): Readable {
  return new Readable({
    objectMode: true,
    read() {
      for (const row of rows) this.push([row]);
      rows = [];
    },
  });
}

it('gives up a stream in which nothing arrives, and says that its connection is of no use', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const broke = vi.fn();
    const reading = readBatches(silentAfter(['1']), { rows: 2, silence: 60_000, signal: NEVER, broke }).next();
    const refused = expect(reading).rejects.toMatchObject({ broken: true, message: 'nothing arrived for 60 s' });
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(59_000);
    expect(broke).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2_000);
    await refused;
    expect(broke).toHaveBeenCalledOnce();
  } finally {
    vi.useRealTimers();
  }
});

it('ends in the reason of the signal', async () => {
  const stop = new AbortController();
  const reason = new Error('told to');
  const broke = vi.fn();
  const reading = readBatches(silentAfter([]), { rows: 1, silence: 60_000, signal: stop.signal, broke }).next();
  stop.abort(reason);
  await expect(reading).rejects.toBe(reason);
  expect(broke).toHaveBeenCalledOnce();
});

it('hands over every row in its order, and leaves the connection as it was', async () => {
  const rows = Array.from({ length: 100_000 }, (_, i) => [String(i)]);
  const broke = vi.fn();
  const read: unknown[] = [];
  for await (const batch of readBatches(Readable.from(rows), { rows: rows.length, silence: 60_000, signal: NEVER, broke }))
    read.push(...batch);
  expect(read).toEqual(rows);
  expect(broke).not.toHaveBeenCalled();
});
