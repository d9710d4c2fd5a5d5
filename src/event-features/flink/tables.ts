import { type EventFeatures, NEWEST_TIME, OLDEST_TIME } from '../definition.ts';
import { flinkType, interval, literal, quoted } from './text.ts';

/** Topics that the script reads and writes, and how to reach them. */
export interface FlinkTopics {
  /** `host:port` */
  readonly brokers: readonly string[];
  readonly group: string;
  readonly input: string;
  readonly features: string;
  /** Topic for late events, duplicates and events ahead of their timestamp, each with its reason. */
  readonly rejected: string;
  /** Further properties of the Kafka client, such as `security.protocol`. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** Columns that are not fields: a field's name cannot contain a dollar sign. */
export const LOG = { partition: '$partition', offset: '$offset', timestamp: '$timestamp' } as const;
/**
 * 1970 for a record that is not an event or is ahead of its timestamp: neither moves the watermark. Flink does not accept null.
 */
export const ROW_TIME = '$row_time';
export const IS_VALID = `${quoted(ROW_TIME)} > TO_TIMESTAMP_LTZ(0, 3)`;
export const ARRIVAL = '$arrival';

/** The input topic as a table with its time and watermark. */
export function inputTable(table: string, features: EventFeatures, topics: FlinkTopics): string {
  return createTable(
    table,
    [
      ...fieldColumns(features),
      `${quoted(LOG.partition)} INT METADATA FROM 'partition' VIRTUAL`,
      `${quoted(LOG.offset)} BIGINT METADATA FROM 'offset' VIRTUAL`,
      `${quoted(LOG.timestamp)} TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL`,
      ...timeColumns(features, `${quoted(LOG.timestamp)}`),
      `WATERMARK FOR ${quoted(ROW_TIME)} AS ${quoted(ROW_TIME)} - ${frontierLag(features)}`,
    ],
    {
      ...connection(topics, topics.input),
      'properties.group.id': topics.group,
      'properties.isolation.level': 'read_committed',
      'properties.auto.offset.reset': 'earliest',
      'scan.startup.mode': 'group-offsets',
      format: 'json',
      // Without this, a record that is not JSON would end the job; with it, such records are skipped. Fields of other types are
      // coerced, or null.
      'json.ignore-parse-errors': 'true',
    },
  );
}

/**
 * Lag of the watermark. An event is due once only late events could still come before it: once its time is below the maximum
 * minus lateness. Flink takes what is at or below the watermark, hence the extra millisecond.
 */
export function frontierLag({ latenessMs }: EventFeatures): string {
  return interval(latenessMs + 1);
}

/** @param timestamp Kafka's timestamp as TIMESTAMP_LTZ(3) */
export function timeColumns(features: EventFeatures, timestamp: string): string[] {
  const rowTime = `TO_TIMESTAMP_LTZ(${quoted(features.time)}, 3)`;
  const latest = `${timestamp} + ${interval(features.skewMs)}`;
  return [
    `${quoted(ROW_TIME)} AS CASE WHEN ${isEvent(features)} AND ${rowTime} <= ${latest} THEN ${rowTime} ELSE TO_TIMESTAMP_LTZ(0, 3) END`,
    `${quoted(ARRIVAL)} AS PROCTIME()`,
  ];
}

/** The rules for an event that columns can check; Flink's JSON coerces other types, see docs/stream-flink.md. */
export function isEvent({ key, id, time, fields }: EventFeatures): string {
  const numbers = fields.flatMap(({ name, type }) => {
    if (name === time) return [];
    const column = quoted(name);
    if (type === 'int64') return [between(column, literal(-Number.MAX_SAFE_INTEGER), literal(Number.MAX_SAFE_INTEGER))];
    return type === 'float64' ? [between(column, literal(-Number.MAX_VALUE), literal(Number.MAX_VALUE))] : [];
  });
  const at = quoted(time);
  const whole = [
    `${quoted(key)} IS NOT NULL`,
    `${quoted(id)} IS NOT NULL`,
    `${at} >= ${OLDEST_TIME}`,
    `${at} < ${NEWEST_TIME}`,
  ];
  return [...whole, ...numbers].join(' AND ');
}

function between(column: string, least: string, greatest: string): string {
  return `(${column} IS NULL OR ${column} BETWEEN ${least} AND ${greatest})`;
}

export function fieldColumns({ fields }: EventFeatures): string[] {
  return fields.map(({ name, type }) => `${quoted(name)} ${flinkType(type)}`);
}

/** A topic that Flink writes in the transactions of its checkpoints. */
export function outputTable(
  table: string,
  columns: readonly string[],
  topics: FlinkTopics,
  { topic, key }: { readonly topic: string; readonly key?: string },
): string {
  return createTable(table, columns, {
    ...connection(topics, topic),
    ...(key === undefined ? {} : { 'key.format': 'raw', 'key.fields': key }),
    'value.format': 'json',
    'sink.delivery-guarantee': 'exactly-once',
    'sink.transactional-id-prefix': `${topics.group}-${topic}`,
    // The broker's default limit (transaction.max.timeout.ms); a checkpoint must not take longer.
    'properties.transaction.timeout.ms': '900000',
  });
}

export function createTable(table: string, columns: readonly string[], options: Readonly<Record<string, string>>): string {
  const settings = Object.entries(options).map(([name, value]) => `${literal(name)} = ${literal(value)}`);
  return `CREATE TABLE ${quoted(table)} (\n  ${columns.join(',\n  ')}\n) WITH (\n  ${settings.join(',\n  ')}\n)`;
}

function connection({ brokers, properties = {} }: FlinkTopics, topic: string): Record<string, string> {
  return {
    connector: 'kafka',
    topic,
    'properties.bootstrap.servers': brokers.join(','),
    ...Object.fromEntries(Object.entries(properties).map(([name, value]) => [`properties.${name}`, value])),
  };
}
