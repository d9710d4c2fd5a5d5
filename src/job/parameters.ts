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

/** `:name` that is not part of a cast (`a::b`), a slice (`a[x:y]`) or a path (`a:b`). */
const REFERENCE = /(?<![:\w\])"]):([a-z_]\w*)/gi;

/**
 * Splits a query at the window parameters and gives them the window's values. Ignores strings and comments, and names that
 * are not similar to a window parameter. Warehouses bind the values; nothing is pasted into the text.
 *
 * @param name the query's file or its key in the job file, for messages
 * @param kind warehouse of the SQL dialect
 * @throws ScoreBatchError `configuration` for an unknown `:window_…`; `usage` for a date if the window does not consist of
 *   whole days
 */
export function bindWindow(sql: string, window: Window, name: string, kind: WarehouseKind): Query {
  const texts: string[] = [];
  const parameters: QueryParameter[] = [];
  let last = 0;
  const ranges = codeRanges(sql, kind);
  // Matches the whole text, since a quoted name can precede the colon.
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
    throw new ScoreBatchError(
      'usage',
      `${where} uses :${name}, but the window ${window.label} does not consist of whole days`,
      {
        hint: 'choose whole days, or use :window_start and :window_end in the query',
      },
    );
  }
  return { name, type: 'date', value: name.startsWith('window_start') ? days.start : days.end };
}

function isName(name: string): name is Name {
  return (NAMES as readonly string[]).includes(name);
}
