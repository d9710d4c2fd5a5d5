import type { WindowKind } from '../domain/window.ts';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly time: string;
}

interface Range {
  /** ISO instants, [start, end). */
  readonly start: string;
  readonly end: string;
  readonly kind: WindowKind;
}

/** Each kind of window as a noun. */
export const WINDOW_NOUNS: Readonly<Record<WindowKind, string>> = {
  hour: 'hour',
  day: 'day',
  week: 'week',
  'ad hoc': 'window',
};

/** `17 March 1997, 08:00`, in the zone. @param instant ISO */
export function momentIn(zone: string, instant: string): string {
  const local = localTime(zone, new Date(instant));
  return `${dayText(local)}, ${local.time}`;
}

/** `14 April 1997`, in the zone. @param instant ISO */
export function dayIn(zone: string, instant: string): string {
  return dayText(localTime(zone, new Date(instant)));
}

/** A window in words: `the week of 10 to 16 March 1997`; the last day is the last one inside. */
export function windowInWords({ start, end, kind }: Range, zone: string): string {
  const from = localTime(zone, new Date(start));
  const to = localTime(zone, new Date(Date.parse(end) - 1));
  if (kind === 'hour') return `the hour from ${from.time} on ${dayText(from)}`;
  if (dayText(from) === dayText(to)) return dayText(from);
  const sameYear = from.year === to.year;
  const sameMonth = sameYear && from.month === to.month;
  const first = `${from.day}${sameMonth ? '' : ` ${monthName(from)}`}${sameYear ? '' : ` ${from.year}`}`;
  return `the ${kind === 'week' ? 'week of' : 'time from'} ${first} to ${dayText(to)}`;
}

/** A window's label in short: `W11`, `03-10`, `10T08`; the table has the year. */
export function shortLabel(label: string): string {
  if (/^\d{4}-W\d\d$/.test(label)) return label.slice(5);
  if (/^\d{4}-\d\d-\d\d(T\d\d)?$/.test(label)) return label.slice(label.length > 10 ? 8 : 5);
  return label;
}

function dayText(local: LocalTime): string {
  return `${local.day} ${monthName(local)} ${local.year}`;
}

function monthName({ month }: LocalTime): string {
  return MONTHS[month - 1] ?? '';
}

/** Take only numbers from the platform: its words and separators change between versions. */
function localTime(timeZone: string, at: Date): LocalTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  });
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
  const two = (type: Intl.DateTimeFormatPartTypes) => String(number(type)).padStart(2, '0');
  return { year: number('year'), month: number('month'), day: number('day'), time: `${two('hour')}:${two('minute')}` };
}
