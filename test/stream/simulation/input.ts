import type { LogRecord } from '../../../src/stream/log.ts';
import { REFUSED_AMOUNT } from './oracle.ts';

/** Epoch milliseconds of the virtual instant 0. */
export const EPOCH = 1_800_000_000_000;

/** What arrives in a partition, and when. */
export interface Arrival {
  /** Virtual instant at which it is appended, and at which its transaction is committed. */
  readonly at: number;
  readonly stableAt: number;
  readonly entry: LogRecord | 'passed over';
}

export interface InputOptions {
  readonly random: () => number;
  readonly partition: number;
  readonly records: number;
  /** Mean milliseconds between records, and what is between two bursts. */
  readonly gapMs: number;
  readonly quietMs: number;
}

/** Events out of order, late, ahead of their timestamp, twice, at the same instant; and records without an event. */
export function arrivalsOf({ random, partition, records, gapMs, quietMs }: InputOptions): Arrival[] {
  const arrivals: Arrival[] = [];
  const sent: { id: string; key: string; time: number; amount: number }[] = [];
  let at = 0;
  for (let offset = 0; offset < records; offset += 1) {
    at += random() < 0.03 ? quietMs : random() * 2 * gapMs;
    const timestamp = EPOCH + Math.floor(at);
    const stableAt = random() < 0.05 ? at + random() * 3000 : at;
    const kind = random();
    if (kind < 0.06) {
      arrivals.push({ at, stableAt, entry: 'passed over' });
      continue;
    }
    const again = kind < 0.16 && sent.length > 0 ? sent[Math.floor(random() * sent.length)] : undefined;
    const event = again ?? {
      id: `${partition}-${offset}`,
      key: `${partition}/${Math.floor(random() * 3)}`,
      time: Math.floor((timestamp - random() * 2400) / 100) * 100,
      amount: random() < 0.05 ? REFUSED_AMOUNT : Math.floor(random() * 1000),
    };
    if (again === undefined) sent.push(event);
    const ahead = random() < 0.04 ? { time: timestamp + 501 + Math.floor(random() * 100_000) } : {};
    const text = random() < 0.05 ? 'garbage' : JSON.stringify({ ...event, ...ahead });
    const entry = { offset, timestamp, key: Buffer.from(event.key), value: Buffer.from(text) };
    arrivals.push({ at, stableAt, entry });
  }
  return arrivals;
}
