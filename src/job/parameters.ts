import type { Query, QueryParameter } from '../domain/query.ts';
import type { WarehouseKind } from '../domain/warehouse-kind.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import { didYouMean, nearest } from '../suggest.ts';
import { wallClock } from '../window/calendar.ts';
import { labelWindow, wholeDays } from '../window/window.ts';
import { codeRanges } from './sql-code.ts';

const WINDOW = namesOf('window');
const LABEL = namesOf('label');

/** Start and end of a range of time: as instants, as wall-clock times of the job's zone, and as dates. */
function namesOf(span: string): string[] {
  return ['', '_local', '_date'].flatMap((form) => [`${span}_start${form}`, `${span}_end${form}`]);
}

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
  return bind(sql, { spans: { window }, names: WINDOW, where: name, kind });
}

interface LabelBinding {
  readonly window: Window;
  /** Days after the end of the window until its outcome is known. */
  readonly after: number;
  /** The query's file or its key in the job file, for messages. */
  readonly name: string;
  readonly kind: WarehouseKind;
}

/** Like `bindWindow`, for queries of `labels`, which also know `:label_start` and `:label_end`; see `labelWindow`. */
export function bindLabels(sql: string, { window, after, name, kind }: LabelBinding): Query {
  const spans = { window, label: labelWindow(window, after) };
  return bind(sql, { spans, names: [...LABEL, ...WINDOW], where: name, kind });
}

interface Binding {
  /** Ranges of time by the first part of their parameters' names. */
  readonly spans: Readonly<Record<string, Window>>;
  /** All parameters that the query may use. */
  readonly names: readonly string[];
  readonly where: string;
  readonly kind: WarehouseKind;
}

function bind(sql: string, binding: Binding): Query {
  const texts: string[] = [];
  const parameters: QueryParameter[] = [];
  let last = 0;
  const ranges = codeRanges(sql, binding.kind);
  // Matches the whole text, since a quoted name can precede the colon.
  for (const match of sql.matchAll(REFERENCE)) {
    if (!ranges.some(([start, end]) => match.index >= start && match.index < end)) continue;
    const word = (match[1] ?? '').toLowerCase();
    const prefix = word.split('_', 1)[0] ?? '';
    if (!(word.includes('_') && prefix in binding.spans) && nearest(word, binding.names) === undefined) continue;
    texts.push(sql.slice(last, match.index));
    parameters.push(parameterOf(word, binding));
    last = match.index + match[0].length;
  }
  texts.push(sql.slice(last));
  return { name: binding.where, texts, parameters };
}

function parameterOf(name: string, { spans, names, where }: Binding): QueryParameter {
  const span = spans[name.split('_', 1)[0] ?? ''];
  if (span === undefined || !names.includes(name)) {
    throw new ScoreBatchError('configuration', `${where} uses the unknown parameter :${name}`, {
      hint: didYouMean(name, names),
    });
  }
  const isStart = name.includes('_start');
  const instant = isStart ? span.start : span.end;
  if (name.endsWith('_local')) return { name, type: 'datetime', value: wallClock(instant.getTime(), span.zone) };
  if (!name.endsWith('_date')) return { name, type: 'timestamp', value: instant.toISOString() };
  const days = wholeDays(span);
  if (days === undefined) {
    throw new ScoreBatchError(
      'usage',
      `${where} uses :${name}, but the window ${spans.window?.label} does not consist of whole days`,
      {
        hint: `choose whole days, or use :${name.replace(/_(start|end)_date$/, '_start')} and :${name.replace(/_(start|end)_date$/, '_end')} in the query`,
      },
    );
  }
  return { name, type: 'date', value: isStart ? days.start : days.end };
}
