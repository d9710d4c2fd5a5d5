import type { Query, QueryParameter } from '../domain/query.ts';
import type { WarehouseKind } from '../domain/warehouse-kind.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import { wallClock } from '../window/calendar.ts';
import { labelWindow, wholeDays } from '../window/window.ts';
import { bind, namesOf } from './binding.ts';
import { ALL_USERS } from './changed-predicate.ts';

const WINDOW = namesOf('window');
const LABEL = namesOf('label');

/**
 * Splits a query at the window parameters and gives them the window's values. Ignores strings, comments, and names that are not
 * similar to a window parameter. Warehouses bind the values; nothing is pasted into the text. A window has all users, so `… in
 * (:changed_keys)`, which is for slices, becomes `1 = 1`.
 *
 * @param name the query's file or its key in the job file, for messages
 * @param kind warehouse of the SQL dialect
 * @throws ScoreBatchError `configuration` for an unknown `:window_…`, or another use of `:changed_keys`; `usage` for a date if
 * the window does not consist of whole days
 */
export function bindWindow(sql: string, window: Window, name: string, kind: WarehouseKind): Query {
  return bind(sql, {
    names: WINDOW,
    prefixes: ['window'],
    parameter: (parameter) => valueIn({ window }, parameter, name),
    changed: () => ALL_USERS,
    where: name,
    kind,
  });
}

interface LabelBinding {
  readonly window: Window;
  /** Days after the end of the window until the outcome is known. */
  readonly after: number;
  /** The query's file or its key in the job file, for messages. */
  readonly name: string;
  readonly kind: WarehouseKind;
}

/** Like `bindWindow`, for queries of `labels`, which also have `:label_start` and `:label_end`; see `labelWindow`. */
export function bindLabels(sql: string, { window, after, name, kind }: LabelBinding): Query {
  const spans = { window, label: labelWindow(window, after) };
  return bind(sql, {
    names: [...LABEL, ...WINDOW],
    prefixes: ['label', 'window'],
    parameter: (parameter) => valueIn(spans, parameter, name),
    where: name,
    kind,
  });
}

/** Time spans by the prefix of their parameters' names. */
interface Spans {
  readonly window: Window;
  readonly label?: Window;
}

function valueIn({ window, label }: Spans, name: string, where: string): QueryParameter {
  const span = name.startsWith('label_') ? (label ?? window) : window;
  const isStart = name.includes('_start');
  const instant = isStart ? span.start : span.end;
  if (name.endsWith('_local')) return { name, type: 'datetime', value: wallClock(instant.getTime(), span.zone) };
  if (!name.endsWith('_date')) return { name, type: 'timestamp', value: instant.toISOString() };
  const days = wholeDays(span);
  if (days === undefined) {
    throw new ScoreBatchError(
      'usage',
      `${where} uses :${name}, but the window ${window.label} does not consist of whole days`,
      {
        hint: `choose whole days, or use :${name.replace(/_(start|end)_date$/, '_start')} and :${name.replace(/_(start|end)_date$/, '_end')} in the query`,
      },
    );
  }
  return { name, type: 'date', value: isStart ? days.start : days.end };
}
