import { formatMicroseconds } from '../../domain/microseconds.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { TextRow } from '../../warehouse/reader.ts';
import type { EventOptions } from './events.ts';
import { earliest, instantAt, otherKind, SNAPSHOT } from './position.ts';
import type { SpanLimits, SpanToRead } from './source.ts';

interface Judged {
  /** The table. */
  readonly name: string;
  readonly options: EventOptions;
}

/** How far events may be ahead of the warehouse's clock, microseconds. */
const AHEAD = 300_000_000n;

/** The span of a table of change events; see `eventSource`. */
export function eventSpan(judged: Judged, row: TextRow, from: string | null, { cap }: SpanLimits): SpanToRead {
  const { name } = judged;
  const [least, greatest, stamp, clock] = row;
  if (from !== null && !/^\d+$/.test(from)) throw otherKind(from, name);
  const warnings = judge(judged, row.slice(4).map(Number));
  if (greatest === null || greatest === undefined)
    return { span: { source: name, from, to: from ?? '0' }, asOf: undefined, warnings };
  const end = BigInt(greatest) + 1n;
  if (from !== null && end < BigInt(from)) {
    throw new ScoreBatchError('refused', `the events of ${name} were read up to position ${from}, and now end at ${greatest}`, {
      details: ['the table was replaced, or the positions of its source start again'],
      hint: SNAPSHOT,
    });
  }
  const now = instantAt(clock ?? '', name);
  const instant = stamp === null || stamp === undefined ? now : (BigInt(stamp) + 1n) * 1000n;
  if (instant > now + AHEAD) {
    throw new ScoreBatchError('refused', `the events of ${name} have the ts_ms ${stamp}, after the warehouse's ${clock} UTC`, {
      hint: 'ts_ms must be milliseconds since 1970 by a correct clock',
    });
  }
  const asOf = earliest(formatMicroseconds(instant), cap);
  const isCut = cap !== undefined && instant > instantAt(cap, name);
  return { span: { source: name, from, to: isCut ? (from ?? least ?? '0') : String(end) }, asOf, warnings };
}

/** @param counts of truncations, events that are not understood, and those without a key and without the row of before */
function judge({ name, options }: Judged, counts: readonly number[]): string[] {
  const [truncations = 0, unknown = 0, keyless = 0, blind = 0] = counts;
  if (truncations > 0) {
    throw new ScoreBatchError('refused', `the table behind the events of ${name} was truncated: events do not name its rows`, {
      hint: SNAPSHOT,
    });
  }
  if (unknown > 0) {
    throw new ScoreBatchError(
      'refused',
      `${name} has ${unknown} events with an op other than c, u, d, r, t, m, or without position`,
      {
        hint: `land the events as Debezium writes them, then ${SNAPSHOT}`,
      },
    );
  }
  const found = 'only reconcile: day finds such changes';
  if (keyless > 0 && !options.reconciled) {
    throw new ScoreBatchError(
      'refused',
      `${keyless} events of ${name} have no key: neither before nor after has all of its fields`,
      {
        hint: 'name the fields with key: in incremental.changes, exactly as the source has them; for deletes set REPLICA IDENTITY FULL there, or reconcile: day here',
      },
    );
  }
  return [
    ...(keyless > 0 ? [`${keyless} events of ${name} have no key: ${found}`] : []),
    ...(blind > 0 ? [`${blind} updates of ${name} have no row of before; if they changed a key, ${found}`] : []),
  ];
}
