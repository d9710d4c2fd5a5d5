import { seededRandom } from '../../../src/random.ts';
import type { StreamEvent } from '../../../src/stream/event.ts';

/** An event of the agreement test: what a record of the input topic holds, and where it is. */
export interface LoggedEvent extends StreamEvent {
  readonly partition: number;
}

export interface LogOptions {
  readonly events: number;
  readonly seed: number;
  readonly partitions?: number;
  /** Whether offsets begin anywhere and leave some out, as those of markers of transactions; false where Kafka gives them. */
  readonly gaps?: boolean;
}

const START = Date.UTC(2026, 2, 1, 9);
const MINUTE = 60_000;
/** Their order by UTF-16 units is another one than by UTF-8 bytes, and some begin as others do. */
const LETTERS = ['a', 'aa', 'b', 'é', '\u{1f600}', '\u{fffd}', ' ', "it's", 'Z'];
const COUNTRIES = ['de', 'fr', "it's", 'us', ''];

/**
 * A log in the order of arrival: out of order within the lateness of 5 seconds and beyond, some ahead of their timestamp by up to
 * a day, ties, exact copies and ids used again with another time, soon and after the memory of ids, gaps longer than every window,
 * partitions that lag behind others, users of very different activity, and nulls.
 */
export function generateLog({ events, seed, partitions = 4, gaps = true }: LogOptions): LoggedEvent[] {
  const random = seededRandom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const often = (share: number): boolean => random() < share;
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const orNull = <T>(value: T, share: number): T | null => (often(share) ? null : value);
  const users = Math.max(8, Math.floor(events / 300));
  const offsets = Array.from({ length: partitions }, () => (gaps ? below(1000) : 0));
  const log: LoggedEvent[] = [];
  let clock = START;
  while (log.length < events) {
    // About 40 a second; now and then nothing comes for a while.
    clock += often(0.0003) ? below(20 * MINUTE) : below(50);
    const user = Math.floor(users * random() ** 2);
    const partition = user % partitions;
    const timestamp = clock;
    const previous = log[log.length - 1 - below(40)];
    const again = often(0.02) ? log[Math.max(0, log.length - 1 - below(often(0.5) ? 200 : 40_000))] : undefined;
    const offset = offsets[again?.partition ?? partition] ?? 0;
    offsets[again?.partition ?? partition] = offset + 1 + (gaps && often(0.01) ? 1 : 0);
    if (again !== undefined) {
      const time = often(0.5) ? again.time : timeOf(timestamp);
      log.push({ ...again, offset, timestamp, time, values: again.values.with(2, time) });
      continue;
    }
    const time = often(0.1) && previous ? previous.time : timeOf(timestamp - partition * 700);
    const key = `user ${user}`;
    const id = `${pick(LETTERS)}${log.length.toString(36)}`;
    const amount = orNull(often(0.1) ? below(2 ** 40) * 1000 - 2 ** 48 : below(100_000) - 1000, 0.05);
    const values = [
      id,
      key,
      time,
      amount,
      orNull(often(0.3) ? below(10) / 10 : random() * 10 ** (below(20) - 10), 0.05),
      orNull(`${pick(LETTERS)}${below(6)}`, 0.05),
      orNull(pick(COUNTRIES), 0.2),
      orNull(often(0.2), 0.1),
    ];
    log.push({ partition, offset, timestamp, key, id, time, values });
  }
  return log;

  /** Within the lateness for most; beyond it, and ahead of the timestamp within the skew of 2 seconds and beyond, for some. */
  function timeOf(timestamp: number): number {
    const kind = random();
    if (kind < 0.01) return timestamp - 5000 - below(often(0.8) ? 20_000 : 30 * MINUTE);
    if (kind < 0.015) return timestamp + 2001 + below(often(0.5) ? 5000 : 24 * 60 * MINUTE);
    if (kind < 0.05) return timestamp + below(2001);
    if (kind < 0.3) return Math.floor((timestamp - below(4000)) / 1000) * 1000;
    return timestamp - below(4500);
  }
}
