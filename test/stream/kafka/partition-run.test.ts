import { describe, expect, it } from 'vitest';
import { PartitionRun } from '../../../src/stream/kafka/partition-run.ts';
import type { Reader } from '../../../src/stream/kafka/reader.ts';
import type { LogBatch } from '../../../src/stream/log.ts';

const KIB = 1 << 10;
const MIB = 1 << 20;

/** What a member is told, which answers when the test says so, and what its reader is asked. */
function started({ kept = false, waiting = { bytes: 0 } } = {}) {
  const batches: LogBatch[] = [];
  const assigned: boolean[] = [];
  const errors: unknown[] = [];
  const asked: string[] = [];
  const wanted: (() => boolean)[] = [];
  let answer: ((rest?: LogBatch) => void) | undefined;
  let fail: ((error: Error) => void) | undefined;
  let paused = false;
  const reader: Reader = {
    seek: (partition, offset) => void asked.push(`seek ${partition} ${offset}`),
    forget: (partition) => void asked.push(`forget ${partition}`),
    wake: () => undefined,
    close: () => undefined,
  };
  const member = {
    async assigned(_: number, isKept: boolean) {
      assigned.push(isKept);
      return 100;
    },
    batch(batch: LogBatch, isWanted: () => boolean) {
      batches.push(batch);
      wanted.push(isWanted);
      return new Promise<LogBatch | undefined>((resolve, reject) => {
        [answer, fail] = [resolve, reject];
      });
    },
    revoked: async () => undefined,
  };
  const of = { partition: 3, kept, member, reader, isPaused: () => paused, waiting };
  const run = new PartitionRun(of, (error) => errors.push(error));
  return {
    ...{ run, batches, assigned, errors, asked, waiting },
    /** Records with these offsets. */
    deliver(from: number, count: number, bytes: number, next = from + count) {
      const records = Array.from({ length: count }, (_, i) => ({ offset: from + i, timestamp: 0, key: null, value: null }));
      run.deliver({ partition: 3, records, next, end: next + 50 }, bytes);
    },
    /** Whether the call in flight should continue. */
    isWanted: () => wanted.at(-1)?.(),
    /** The call that is in flight ends. @param rest that it leaves */
    async answer(rest?: LogBatch) {
      answer?.(rest);
      await settled();
    },
    async fail(error: Error) {
      fail?.(error);
      await settled();
    },
    pause(isPaused: boolean) {
      paused = isPaused;
      run.wake();
    },
    shown: () => batches.map(({ records, next, end }) => [records.map(({ offset }) => offset), next, end]),
  };
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('a partition', () => {
  it('is assigned, sought, and then wanted', async () => {
    const of = started({ kept: true });
    expect([of.run.wants(), of.run.restarts]).toEqual([false, false]);
    await settled();
    expect([of.assigned, of.asked, of.run.wants()]).toEqual([[true], ['seek 3 100'], true]);
  });

  it('gives what a call has left back to the next one, before all that waits, once it is wanted again', async () => {
    const of = started();
    await settled();
    of.deliver(100, 4, 40);
    await settled();
    of.deliver(104, 1, 10);
    const first = of.batches[0] as LogBatch;
    expect(of.isWanted()).toBe(true);
    of.pause(true);
    expect(of.isWanted()).toBe(false);
    await of.answer({ ...first, records: first.records.slice(1) });
    expect([of.shown(), of.waiting.bytes]).toEqual([[[[100, 101, 102, 103], 104, 154]], 40]);
    of.pause(false);
    await settled();
    await of.answer();
    await of.answer();
    expect(of.shown().slice(1)).toEqual([
      [[101, 102, 103], 104, 154],
      [[104], 105, 155],
    ]);
    expect(of.waiting.bytes).toBe(0);
  });

  it.each([
    ['is stopped', (run: PartitionRun) => void run.stop()],
    ['begins again', (run: PartitionRun) => run.restart()],
  ])('forgets what a call has left if it %s', async (_, end) => {
    const of = started();
    await settled();
    of.deliver(100, 4, 40);
    await settled();
    end(of.run);
    expect(of.isWanted()).toBe(false);
    await of.answer(of.batches[0]);
    expect([of.batches.length, of.waiting.bytes]).toEqual([1, 0]);
  });

  it('joins in their order what arrives during a call, with the end of the last', async () => {
    const of = started();
    await settled();
    of.deliver(100, 2, 20);
    await settled();
    of.deliver(102, 3, 30);
    of.deliver(105, 0, 0, 107);
    of.deliver(107, 1, 10);
    expect([of.waiting.bytes, of.run.wants()]).toEqual([40, true]);
    await of.answer();
    await of.answer();
    expect(of.shown()).toEqual([
      [[100, 101], 102, 152],
      [[102, 103, 104, 107], 108, 158],
    ]);
    expect(of.waiting.bytes).toBe(0);
  });

  it('does not change a batch that a member has', async () => {
    const of = started();
    await settled();
    of.deliver(100, 1, 10);
    await settled();
    const [first] = of.batches;
    of.deliver(101, 1, 10);
    expect([first?.records.length, first?.next]).toEqual([1, 101]);
  });

  it('leaves apart what would be beyond the limit, and waits for no third batch', async () => {
    const of = started();
    await settled();
    of.deliver(100, 1, 10);
    await settled();
    of.deliver(101, 1, 200 * KIB);
    expect(of.run.wants()).toBe(true);
    of.deliver(102, 1, 57 * KIB);
    expect([of.run.wants(), of.waiting.bytes]).toEqual([false, 257 * KIB]);
    await of.answer();
    expect([of.run.wants(), of.waiting.bytes]).toEqual([true, 57 * KIB]);
    of.deliver(103, 1, 199 * KIB);
    await of.answer();
    await of.answer();
    expect(of.shown().map(([offsets]) => offsets)).toEqual([[100], [101], [102, 103]]);
    expect(of.waiting.bytes).toBe(0);
  });

  it('leaves a batch that alone is beyond the limit as it is', async () => {
    const of = started();
    await settled();
    of.deliver(100, 1, 10);
    await settled();
    of.deliver(101, 1, 8 * MIB);
    of.deliver(102, 0, 0, 104);
    await of.answer();
    await of.answer();
    expect(of.shown()).toEqual([
      [[100], 101, 151],
      [[101], 102, 152],
      [[], 104, 154],
    ]);
  });

  it('passes on a batch without records, which only moves the position', async () => {
    const of = started();
    await settled();
    of.deliver(100, 0, 0, 105);
    await settled();
    expect(of.shown()).toEqual([[[], 105, 155]]);
  });

  it('keeps one batch where all partitions have much', async () => {
    const of = started({ waiting: { bytes: 64 * MIB } });
    await settled();
    of.deliver(100, 1, 10);
    await settled();
    expect(of.run.wants()).toBe(true);
    of.deliver(101, 1, 10);
    expect(of.run.wants()).toBe(false);
    of.waiting.bytes -= MIB;
    expect(of.run.wants()).toBe(true);
  });

  it('waits while it is paused, with what it has', async () => {
    const of = started();
    await settled();
    of.pause(true);
    of.deliver(100, 1, 10);
    await settled();
    expect([of.batches.length, of.run.wants(), of.waiting.bytes]).toEqual([0, false, 10]);
    of.pause(false);
    await settled();
    expect([of.batches.length, of.run.wants(), of.waiting.bytes]).toEqual([1, true, 0]);
  });

  it('drops what waits when it is restarted, and is assigned again after the call in flight', async () => {
    const of = started({ kept: true, waiting: { bytes: 1000 } });
    await settled();
    of.deliver(100, 1, 10);
    await settled();
    of.deliver(101, 1, 200 * KIB);
    of.deliver(102, 1, 200 * KIB);
    of.run.restart();
    expect([of.waiting.bytes, of.run.wants(), of.run.restarts, of.assigned]).toEqual([1000, false, true, [true]]);
    await of.answer();
    expect([of.run.restarts, of.assigned]).toEqual([false, [true, false]]);
    expect(of.asked).toEqual(['seek 3 100', 'forget 3', 'seek 3 100']);
    expect(of.batches).toHaveLength(1);
  });

  it('drops what waits when it is stopped, and ends after the call in flight', async () => {
    const of = started({ waiting: { bytes: 1000 } });
    await settled();
    of.deliver(100, 1, 10);
    await settled();
    of.deliver(101, 1, 10);
    let isEnded = false;
    const ended = of.run.stop().then(() => {
      isEnded = true;
    });
    await settled();
    expect([isEnded, of.waiting.bytes, of.run.wants(), of.asked.at(-1)]).toEqual([false, 1000, false, 'forget 3']);
    await of.answer();
    await ended;
    expect(of.batches).toHaveLength(1);
  });

  it('ends with the error of its member, and leaves nothing in the count once it is stopped', async () => {
    const of = started();
    await settled();
    of.deliver(100, 1, 10);
    await settled();
    of.deliver(101, 1, 10);
    const error = new Error('failed');
    await of.fail(error);
    expect([of.errors, of.waiting.bytes]).toEqual([[error], 10]);
    await of.run.stop();
    expect(of.waiting.bytes).toBe(0);
  });
});
