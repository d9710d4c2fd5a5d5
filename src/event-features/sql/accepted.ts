import { type EventFeatures, horizonMs } from '../definition.ts';
import { USED } from './attributes.ts';
import type { EventDialect } from './dialect.ts';
import { validSql } from './valid.ts';

/** Names of columns that the statement adds; fields begin with a letter. */
const LOG_PARTITION = '_log_partition';
export const LOG_OFFSET = '_log_offset';
/** Start of the time bucket of an event; buckets are as long as the longest window. */
export const BUCKET = '_bucket';
/** Time and id as one string, which sorts the last value last. */
export const ORDER = '_order';

/** Start and end of the job's window, in epoch milliseconds. */
export function windowOf(dialect: EventDialect): { readonly start: string; readonly end: string } {
  return { start: dialect.epochMs(':window_start'), end: dialect.epochMs(':window_end') };
}

export function longestWindow({ features }: EventFeatures): number {
  return Math.max(...features.map(({ windowMs }) => windowMs));
}

/** Columns that identify an event. An id may come again, with another time, once its first event is forgotten. */
export function identityOf(dialect: EventDialect, { log, key, id, time }: EventFeatures): readonly string[] {
  return log === undefined ? [key, id, time].map((field) => dialect.column(field)) : [LOG_PARTITION, LOG_OFFSET];
}

/**
 * Columns that partition events by who sees whom. As of event it is the key alone: a message key has one partition, and events
 * of another key, which only Flink computes, may be in several. As of arrival it includes the partition: arrivals in two
 * partitions have no order.
 */
export function keyOf(dialect: EventDialect, { asOf, key }: EventFeatures): readonly string[] {
  return asOf === 'event' ? [dialect.column(key)] : [LOG_PARTITION, dialect.column(key)];
}

/**
 * Parts of a WITH clause, of which the last, `_accepted`, has the accepted events that may matter to the job's window.
 * docs/event-features.md proves that these rows suffice to find late events and duplicates.
 *
 * @param table quoted
 * @param used column with the version of attributes that an event was scored with
 */
export function acceptedSql(dialect: EventDialect, features: EventFeatures, table: string, used: string | undefined): string[] {
  const { fields, log, id, time, latenessMs, skewMs } = features;
  const { start, end } = windowOf(dialect);
  const [at, name] = [time, id].map((field) => dialect.column(field));
  const valid = validSql(dialect, features).join('\n    and ');
  const horizon = horizonMs(features);
  const longest = longestWindow(features);
  const names = fields.map((field) => dialect.column(field.name));
  const first = [...names, ...(used === undefined ? [] : [`${dialect.column(used)} as ${USED}`])].join(', ');
  const columns = [...names, ...(used === undefined ? [] : [USED])].join(', ');
  const added = [
    `${at} - mod(${at}, ${longest}) as ${BUCKET}`,
    ...(features.features.some(({ aggregate }) => aggregate === 'last')
      ? [`concat(lpad(cast(${at} as ${dialect.types.text}), 16, '0'), ${name}) as ${ORDER}`]
      : []),
  ].join(', ');
  const within = `${at} >= ${start} - ${longest} and ${at} < ${end}`;
  if (log === undefined)
    return [`_accepted as (\n  select ${first}, ${added}\n  from ${table}\n  where ${within}\n    and ${valid}\n)`];
  const [partition, offset, timestamp] = [log.partition, log.offset, log.timestamp].map((column) => dialect.column(column));
  return [
    `_valid as (
  select ${first}, ${partition} as ${LOG_PARTITION}, ${offset} as ${LOG_OFFSET}
  from ${table}
  where ${at} >= ${start} - ${2 * horizon}
    and ${valid}
    and ${at} <= ${timestamp} + ${skewMs}
)`,
    `_arrived as (
  select _valid.*,
    max(${at}) over (
      partition by ${LOG_PARTITION} order by ${LOG_OFFSET} rows between unbounded preceding and current row
    ) as _maximum,
    max(${at}) over (
      partition by ${LOG_PARTITION}, ${name} order by ${LOG_OFFSET} rows between unbounded preceding and 1 preceding
    ) as _copy
  from _valid
)`,
    `_accepted as (
  select ${columns}, ${LOG_PARTITION}, ${LOG_OFFSET}, ${added}
  from _arrived
  where ${at} >= _maximum - ${latenessMs} and (_copy is null or _copy < _maximum - ${horizon})
    and ${within}
)`,
  ];
}
