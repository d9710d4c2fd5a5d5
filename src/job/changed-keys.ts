import { formatMicroseconds, inMilliseconds, type Microseconds, parseMicroseconds } from '../domain/microseconds.ts';
import type { Query, QueryParameter } from '../domain/query.ts';
import type { WarehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import { type CalendarDate, dayStart, plusDays, wallClock } from '../window/calendar.ts';
import { bind, namesOf } from './binding.ts';
import { ALL_USERS, CHANGED_KEYS } from './changed-predicate.ts';

/** The users of a slice. */
export interface ChangedKeys {
  /** FROM clause without alias: rows of distinct, non-null keys. */
  readonly relation: string;
  /** SQL names of its columns for `source.key`, in its order. */
  readonly columns: readonly string[];
}

export interface SliceBinding {
  /** The query's file or its key in the job file, for messages. */
  readonly name: string;
  readonly kind: WarehouseKind;
  /** The job's time zone. */
  readonly zone: string;
  /** Date from which users are included. */
  readonly since: CalendarDate;
  /** The slice's instant, ISO string with microseconds. */
  readonly asOf: string;
  /** SQL names of the query's columns for `source.key`, in its order. */
  readonly key: readonly string[];
  /** Undefined for a slice of all users. */
  readonly changed: ChangedKeys | undefined;
}

/**
 * The job's query for a slice: `:window_start…` is the start of `since`, `:window_end` the slice's instant to the microsecond,
 * and `:window_end_date` the end of the day that contains the last instant before it. `<columns> in (:changed_keys)` selects
 * the changed keys; whatever the query does with it, only these are returned.
 *
 * @throws ScoreBatchError `configuration` for an unknown `:window_…`, or another use of `:changed_keys`
 */
export function bindSlice(sql: string, binding: SliceBinding): Query {
  const { name, kind, key, changed } = binding;
  const values = valuesOf(binding);
  const query = bind(sql, {
    names: namesOf('window'),
    prefixes: ['window'],
    parameter: (parameter) => values.get(parameter) ?? { name: parameter, type: 'timestamp', value: '' },
    changed: ({ columns }) => {
      if (columns.length !== key.length) throw otherKey(name, columns, key);
      return changed === undefined ? ALL_USERS : isAmong(columns, changed, kind);
    },
    where: name,
    kind,
  });
  if (changed === undefined) return query;
  const [first = '', ...rest] = query.texts;
  const texts = [`SELECT * FROM (${first}`, ...rest];
  // The line break ends a trailing line comment.
  return { ...query, texts: texts.with(-1, `${texts.at(-1)}\n) WHERE ${isAmong(key, changed, kind)}`) };
}

/** BigQuery compares several columns as one value. */
function isAmong(columns: readonly string[], { relation, columns: names }: ChangedKeys, kind: WarehouseKind): string {
  const left = columns.length === 1 ? columns[0] : `(${columns.join(', ')})`;
  const right = kind === 'bigquery' && names.length > 1 ? `(${names.join(', ')})` : names.join(', ');
  return `${left} IN (SELECT ${right} FROM ${relation})`;
}

function valuesOf({ zone, since, asOf }: SliceBinding): ReadonlyMap<string, QueryParameter> {
  const start = BigInt(dayStart(since, zone)) * 1000n;
  const end = parseMicroseconds(asOf);
  if (end === undefined) throw new Error(`${asOf} is not the instant of a slice`);
  const lastDay = local(end - 1n, zone).slice(0, 10);
  const parameters: QueryParameter[] = [
    { name: 'window_start', type: 'timestamp', value: formatMicroseconds(start) },
    { name: 'window_start_local', type: 'datetime', value: local(start, zone) },
    { name: 'window_start_date', type: 'date', value: since },
    { name: 'window_end', type: 'timestamp', value: formatMicroseconds(end) },
    { name: 'window_end_local', type: 'datetime', value: local(end, zone) },
    { name: 'window_end_date', type: 'date', value: plusDays(lastDay, 1) },
  ];
  return new Map(parameters.map((parameter) => [parameter.name, parameter]));
}

/** Wall-clock time of an instant in a zone, with six fractional digits. */
function local(instant: Microseconds, zone: string): string {
  const { milliseconds, rest } = inMilliseconds(instant);
  return `${wallClock(milliseconds, zone)}${String(rest).padStart(3, '0')}`;
}

function otherKey(name: string, columns: readonly string[], key: readonly string[]): ScoreBatchError {
  return new ScoreBatchError(
    'configuration',
    `${name} has (${columns.join(', ')}) in (:${CHANGED_KEYS}), but source.key has ${key.length} ${key.length === 1 ? 'column' : 'columns'}`,
    { hint: `write the columns of source.key in its order: ${key.join(', ')}` },
  );
}
