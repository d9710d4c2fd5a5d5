import { formatMicroseconds, inMilliseconds, type Microseconds, parseMicroseconds } from '../../domain/microseconds.ts';
import type { Column } from '../../domain/schema.ts';
import { dayStart, instantsOf, plusDays, wallClock } from '../../window/calendar.ts';

type TimeType = Extract<Column['type'], 'timestamp' | 'datetime' | 'date'>;

/** Meaning of a watermark column's values, in microseconds. Values are canonical strings, see `Dialect.text`. */
export interface WatermarkTime {
  readonly type: TimeType;
  /** The instant of a value, for a date its first one; undefined if it is not an instant, such as infinity. */
  instant(text: string): Microseconds | undefined;
  /** The first instant after a value, which must have an instant. */
  after(text: string): Microseconds;
  /** The lowest value that may have been written at or after an instant, as a string to cast. */
  least(instant: Microseconds): string;
  /** A value above all that may have been written before an instant, as a string to cast. */
  above(instant: Microseconds): string;
}

const HOUR = 3_600_000_000n;

/** @param zone for values without a zone */
export function watermarkTime(type: TimeType, zone: string): WatermarkTime {
  return { type, ...{ timestamp: instants, datetime: () => wallClocks(zone), date: () => dates(zone) }[type]() };
}

type Meaning = Omit<WatermarkTime, 'type'>;

function instants(): Meaning {
  return {
    instant: parseMicroseconds,
    after: (text) => (parseMicroseconds(text) ?? 0n) + 1n,
    least: formatMicroseconds,
    above: formatMicroseconds,
  };
}

/**
 * When clocks go back, an hour of wall-clock times occurs twice, and later rows may have lower values. Values then count as the
 * first of the two instants, and conditions are an hour wider, so that no row is left out.
 */
function wallClocks(zone: string): Meaning {
  const instant = (text: string) => {
    const wall = parseMicroseconds(text);
    if (wall === undefined) return undefined;
    const { milliseconds, rest } = inMilliseconds(wall);
    // A time that the clocks skip is read with the offset before the jump.
    const first = instantsOf(milliseconds, zone)[0] ?? milliseconds - offset(milliseconds - 86_400_000, zone);
    return BigInt(first) * 1000n + BigInt(rest);
  };
  const wall = (at: Microseconds) => {
    const { milliseconds, rest } = inMilliseconds(at);
    return BigInt(milliseconds + offset(milliseconds, zone)) * 1000n + BigInt(rest);
  };
  const later = (at: Microseconds) => wall(at + HOUR) - HOUR;
  const earlier = (at: Microseconds) => wall(at - HOUR) + HOUR;
  return {
    instant,
    after: (text) => (instant(text) ?? 0n) + 1n,
    least: (at) => [wall(at), later(at)].map(withoutZone).sort()[0] ?? '',
    above: (at) => [wall(at), earlier(at)].map(withoutZone).sort()[1] ?? '',
  };
}

/** A row of a date may be written at any time of that day, so the day of an instant is always read completely. */
function dates(zone: string): Meaning {
  const start = (date: string) => BigInt(dayStart(date, zone)) * 1000n;
  const day = (at: Microseconds) => wallClock(inMilliseconds(at).milliseconds, zone).slice(0, 10);
  return {
    instant: (text) => (/^\d{4}-\d{2}-\d{2}$/.test(text) ? start(text) : undefined),
    after: (text) => start(plusDays(text, 1)),
    least: day,
    above: (at) => plusDays(day(at - 1n), 1),
  };
}

/** Milliseconds by which a zone's clocks are ahead of UTC. */
function offset(instant: number, zone: string): number {
  return Date.parse(`${wallClock(instant, zone)}Z`) - instant;
}

function withoutZone(wall: Microseconds): string {
  return formatMicroseconds(wall).slice(0, -1);
}
