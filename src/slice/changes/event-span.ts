import { formatMicroseconds } from '../../domain/microseconds.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { TextRow } from '../../warehouse/reader.ts';
import { earliest, instantAt, numberAt, SNAPSHOT } from './position.ts';
import type { SpanLimits, SpanToRead } from './source.ts';

export interface EventOptions {
  /** Name of the column with an event's position. */
  readonly position: string;
  /** Whether all users are compared once a day, which finds changes hidden by an event without a key. */
  readonly reconciled: boolean;
}

interface Judged {
  /** Name of the table. */
  readonly name: string;
  readonly options: EventOptions;
}

/** How far events may be ahead of the warehouse's clock, microseconds. */
const AHEAD = 300_000_000n;

/** The span of a table of change events; see `eventSource`. */
export function eventSpan(judged: Judged, row: TextRow, from: string | null, { cap }: SpanLimits): SpanToRead {
  const { name } = judged;
  const [least, greatest, stamp, clock] = row;
  const start = from === null ? undefined : numberAt(from, name);
  const warnings = judge(judged, row.slice(4).map(Number));
  if (greatest === null || greatest === undefined)
    return { span: { source: name, from, to: from ?? '0' }, asOf: undefined, warnings };
  const end = BigInt(greatest) + 1n;
  if (start !== undefined && end < start) {
    throw new ScoreBatchError('refused', `the events of ${name} were read up to position ${from}, but now end at ${greatest}`, {
      details: ['the table was replaced, or the positions of its source started over'],
      hint: SNAPSHOT,
    });
  }
  const now = instantAt(clock ?? '', name);
  const instant = stamp === null || stamp === undefined ? now : (BigInt(stamp) + 1n) * 1000n;
  if (instant > now + AHEAD) {
    throw new ScoreBatchError(
      'refused',
      `the newest ts_ms in the events of ${name} is ${stamp}, which is later than the warehouse's clock, ${clock} UTC`,
      {
        hint: 'correct the source of ts_ms: it must be milliseconds since 1970, from a correct clock',
      },
    );
  }
  const asOf = earliest(formatMicroseconds(instant), cap);
  const isCut = cap !== undefined && instant > instantAt(cap, name);
  return { span: { source: name, from, to: isCut ? (from ?? least ?? '0') : String(end) }, asOf, warnings };
}

/**
 * @param counts of truncations, events with an unknown op or no position, events without a key, and updates without the key
 * before
 */
function judge({ name, options }: Judged, counts: readonly number[]): string[] {
  const [truncations = 0, unknown = 0, keyless = 0, blind = 0] = counts;
  if (truncations > 0) {
    throw new ScoreBatchError(
      'refused',
      `the table behind the events of ${name} was truncated, and events do not say which rows that removed`,
      {
        hint: SNAPSHOT,
      },
    );
  }
  if (unknown > 0) {
    throw new ScoreBatchError(
      'refused',
      `${events(unknown)} of ${name} ${unknown === 1 ? 'has' : 'have'} an op other than c, u, d, r, t, m, or no position`,
      {
        hint: `land the events as Debezium writes them, then ${SNAPSHOT}`,
      },
    );
  }
  const found = 'only reconcile: day finds such changes';
  if (keyless > 0 && !options.reconciled) {
    throw new ScoreBatchError(
      'refused',
      `${events(keyless)} of ${name} ${keyless === 1 ? 'has' : 'have'} no key: neither before nor after has all of its fields`,
      {
        hint: 'name the fields with key: in incremental.changes, exactly as in the source; for deletes, set REPLICA IDENTITY FULL in the source, or incremental.reconcile: day',
      },
    );
  }
  return [
    ...(keyless > 0 ? [`${events(keyless)} of ${name} ${keyless === 1 ? 'has' : 'have'} no key: ${found}`] : []),
    ...(blind > 0
      ? [`${events(blind)} of ${name} ${blind === 1 ? 'lacks' : 'lack'} the row before an update: if a key changed, ${found}`]
      : []),
  ];
}

function events(count: number): string {
  return count === 1 ? '1 event' : `${count} events`;
}
