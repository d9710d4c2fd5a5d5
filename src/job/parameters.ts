import type { Query, QueryParameter } from '../domain/query.ts';
import type { WarehouseKind } from '../domain/warehouse-kind.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import { didYouMean, nearest } from '../suggest.ts';
import { wallClock } from '../window/calendar.ts';
import { wholeDays } from '../window/window.ts';
import { codeRanges } from './sql-code.ts';

const NAMES = [
  'window_start',
  'window_end',
  'window_start_local',
  'window_end_local',
  'window_start_date',
  'window_end_date',
] as const;
type Name = (typeof NAMES)[number];

/** `:name` that is not part of a cast (`a::b`), a slice (`a[x:y]`) or a path (`a:b`). What is near none of ours is left alone. */
const REFERENCE = /(?<![:\w\])"]):([a-z_]\w*)/gi;

/**
 * Cuts a query at `:window_start` and its kin, with the window's values. Strings and comments are left as they are, and
 * nothing is pasted into the text: a warehouse binds the values.
 *
 * @param name what the text is, for messages: a file's name or a key of the job file
 * @param kind the warehouse whose SQL it is
 * @throws ScoreBatchError `configuration` for an unknown `:window_…`, `usage` for a date where the window is of no whole days
 */
export function bindWindow(sql: string, window: Window, name: string, kind: WarehouseKind): Query {
  const texts: string[] = [];
  const parameters: QueryParameter[] = [];
  let last = 0;
  const ranges = codeRanges(sql, kind);
  // Matched in the whole text: what stands before a colon may be a quoted name.
  for (const match of sql.matchAll(REFERENCE)) {
    if (!ranges.some(([start, end]) => match.index >= start && match.index < end)) continue;
    const word = (match[1] ?? '').toLowerCase();
    if (!word.startsWith('window_') && nearest(word, NAMES) === undefined) continue;
    texts.push(sql.slice(last, match.index));
    parameters.push(parameterOf(word, window, name));
    last = match.index + match[0].length;
  }
  texts.push(sql.slice(last));
  return { name, texts, parameters };
}

function parameterOf(name: string, window: Window, where: string): QueryParameter {
  if (!isName(name)) {
    throw new ScoreBatchError('configuration', `${where} uses the unknown parameter :${name}`, {
      hint: didYouMean(name, NAMES),
    });
  }
  const instant = name.startsWith('window_start') ? window.start : window.end;
  if (name.endsWith('_local')) return { name, type: 'datetime', value: wallClock(instant.getTime(), window.zone) };
  if (!name.endsWith('_date')) return { name, type: 'timestamp', value: instant.toISOString() };
  const days = wholeDays(window);
  if (days === undefined) {
    throw new ScoreBatchError('usage', `${where} uses :${name} and the window ${window.label} does not consist of whole days`, {
      hint: 'choose whole days, or use :window_start and :window_end in the query',
    });
  }
  return { name, type: 'date', value: name.startsWith('window_start') ? days.start : days.end };
}

function isName(name: string): name is Name {
  return (NAMES as readonly string[]).includes(name);
}
