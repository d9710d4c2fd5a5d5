import { showBytes } from '../domain/cost.ts';
import { counted, grouped } from '../domain/counted.ts';
import { totalSeconds } from '../domain/stages.ts';
import type { StatusOutput } from '../json/status.ts';
import { alignTable } from '../terminal/table.ts';
import { localMinute } from '../window/local-time.ts';
import type { ShownPosition, ShownSlice } from './status-slices-rows.ts';
import { age } from './status-text.ts';

/** What `status --slices` shows. */
export interface SlicesStatus {
  readonly table: string;
  readonly position: ShownPosition | null;
  readonly shadow: NonNullable<StatusOutput['incremental']>['shadow'];
  /** In the order in which they began. */
  readonly slices: readonly ShownSlice[];
}

/** Columns that remain on a narrow terminal. */
const IMPORTANT = ['as of', 'state', 'kind', 'read', 'scored', 'seconds', 'run'];

export function showSlices({ position, shadow, slices }: SlicesStatus, zone: string): string {
  const bytes = slices.some((slice) => slice.bytes !== null);
  const header = ['slice', 'state', `as of (${zone})`, 'kind', 'read', 'scored', 'unchanged', 'quarantined', 'deleted'];
  const important = IMPORTANT.map((heading) => (heading === 'as of' ? `as of (${zone})` : heading));
  const table = alignTable(
    [...header, 'seconds', ...(bytes ? ['cost'] : []), 'run'],
    slices.map((slice) => cellsOf(slice, zone, bytes)),
    { important },
  );
  return [
    position === null ? 'no slice is published yet' : `${showPosition(position, zone)}${showShadow(shadow)}`,
    ...(slices.length === 0 ? [] : [table]),
    ...(slices.some(({ current }) => current) ? ['* the position: the next slice begins where it ended'] : []),
    ...slices.flatMap((slice) => notesOf(slice).map((note) => `${slice.run_id}: ${note}`)),
  ].join('\n');
}

/** `position 7, as of 2026-11-18 09:00, 12 minutes ago: 2,357 users, 3 with a score of an earlier model, all last read as of …` */
function showPosition(position: ShownPosition, zone: string): string {
  const { number, as_of: asOf, age_seconds, users, other_model: others, last_full: full } = position;
  const of = [
    ...(users === null ? [] : [counted(users, 'user')]),
    ...(others === null || others === 0 ? [] : [`${grouped(others)} with a score of an earlier model`]),
    ...(full === null ? [] : [`all last read as of ${localMinute(full, zone)}`]),
  ];
  const old = age_seconds < 0 ? 'ahead of this clock' : `${age(age_seconds)} ago`;
  return `position ${number}, as of ${localMinute(asOf, zone)}, ${old}: ${of.join(', ')}`;
}

function showShadow(shadow: SlicesStatus['shadow']): string {
  if (shadow === null) return '';
  const { view, reads, comparisons_in_a_row: inRow, comparisons_needed: needed } = shadow;
  const what = { batch: 'the batch', current: 'the current table' }[reads];
  return `; people read ${what} in ${view}, ${inRow} of ${needed} comparisons in a row within limits`;
}

function cellsOf(slice: ShownSlice, zone: string, bytes: boolean): string[] {
  const count = (value: number | null) => (value === null ? '' : grouped(value));
  const published = slice.number !== null;
  return [
    count(slice.number),
    `${slice.state}${slice.current ? ' *' : slice.lost ? ', lost' : ''}`,
    localMinute(slice.as_of, zone),
    slice.kind,
    published && slice.changed_keys === null ? 'all' : count(slice.changed_keys),
    ...[slice.scored, slice.unchanged, slice.quarantined, slice.deleted].map(count),
    slice.seconds === null ? '' : totalSeconds(slice.seconds).toFixed(1),
    ...(bytes ? [showCost(slice)] : []),
    slice.run_id,
  ];
}

function showCost({ bytes, usd }: ShownSlice): string {
  if (bytes === null) return '';
  return `${showBytes(bytes)}${usd === null ? '' : `, ${usd.toFixed(4)} USD`}`;
}

function notesOf(slice: ShownSlice): string[] {
  return [
    ...(slice.error === null ? [] : [slice.error]),
    ...(slice.lost
      ? ['another slice has been published since; this one cannot be resumed, and the next slice reads its changes']
      : []),
    ...(slice.unfinished && slice.state === 'started'
      ? [`began on ${slice.started_on} and is still running, or its process is gone; the next slice command resumes it`]
      : []),
    ...(slice.unfinished && slice.state === 'failed' ? ['the next slice command resumes it, with the same span'] : []),
    ...(slice.state === 'refused' ? ['the position did not move, and the next slice reads the same changes again'] : []),
  ];
}
