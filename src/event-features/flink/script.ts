import { ScoreBatchError } from '../../errors.ts';
import { type EventFeatures, horizonMs } from '../definition.ts';
import { type FlinkTopics, fieldColumns, IS_VALID, inputTable, isEvent, LOG, outputTable } from './tables.ts';
import { literal, quoted } from './text.ts';
import { VERDICT, verdictViews } from './verdicts.ts';
import { featureColumns, featureType, windowViews } from './windows.ts';

export interface FlinkSettings {
  /** How often Flink commits its output: until then, readers of committed records do not see it. */
  readonly checkpointMs?: number;
  /** After this long without records, a partition no longer holds the others back; undefined for never. */
  readonly idleMs?: number | undefined;
}

const DAY = 86_400_000;

/**
 * The features as a Flink SQL job from the input topic to a topic of features: statements that each end with `;` and an empty
 * line.
 *
 * @throws ScoreBatchError `configuration` if the features are as of arrival, or one is named like a column that the outputs add
 */
export function flinkSql(features: EventFeatures, topics: FlinkTopics, settings: FlinkSettings = {}): string {
  const { name, key } = features;
  refuseClash(features);
  return script([
    ...flinkSettings(features, settings),
    inputTable(`${name}_events`, features, topics),
    outputTable(`${name}_features`, outputColumns(features), topics, { topic: topics.features, key }),
    outputTable(`${name}_rejected`, rejectedColumns(features), topics, { topic: topics.rejected }),
    ...flinkViews(features),
    flinkInserts(features),
  ]);
}

export function script(statements: readonly string[]): string {
  return statements.map((statement) => `${statement};\n`).join('\n');
}

/** @throws ScoreBatchError `configuration` if the features are as of arrival */
export function flinkSettings(features: EventFeatures, { checkpointMs = 10_000, idleMs }: FlinkSettings): string[] {
  if (features.asOf === 'arrival') {
    throw new ScoreBatchError(
      'configuration',
      `the features of ${features.name} are as of arrival, which Flink SQL cannot express`,
      {
        hint: 'use `as_of: event`, or `score-batch stream`: windows of Flink wait for the watermark',
      },
    );
  }
  const options = {
    'execution.checkpointing.interval': `${checkpointMs} ms`,
    'execution.checkpointing.mode': 'EXACTLY_ONCE',
    // State of an id or a partition expires after this long without a record of it.
    'table.exec.state.ttl': `${Math.max(DAY, 2 * horizonMs(features))} ms`,
    'table.local-time-zone': 'UTC',
    ...(idleMs === undefined ? {} : { 'table.exec.source.idle-timeout': `${idleMs} ms` }),
  };
  return Object.entries(options).map(([option, value]) => `SET ${literal(option)} = ${literal(value)}`);
}

/** Views from the table `NAME_events` to `NAME_verdicts` and `NAME_windows`. */
export function flinkViews(features: EventFeatures): string[] {
  const views = [...verdictViews(`${features.name}_events`, features), ...windowViews(features)];
  return views.map(({ name, query }) => `CREATE VIEW ${quoted(name)} AS\n${query}`);
}

/** Both outputs in one job, which share reading the input; a topic has a single writer, as its transactional ids require. */
export function flinkInserts(features: EventFeatures): string {
  const { name, fields } = features;
  const place = [LOG.partition, LOG.offset].map(quoted);
  const list = (columns: readonly string[]): string => columns.join(',\n  ');
  const values = [...fields.map((field) => quoted(field.name)), ...place, ...featureColumns(features)];
  return `EXECUTE STATEMENT SET BEGIN
INSERT INTO ${quoted(`${name}_features`)} SELECT
  ${list(values)}
FROM ${quoted(`${name}_windows`)};
INSERT INTO ${quoted(`${name}_rejected`)} SELECT ${place.join(', ')}, ${quoted(VERDICT)}
FROM ${quoted(`${name}_verdicts`)}
WHERE ${quoted(VERDICT)} <> 'accepted'
UNION ALL SELECT ${place.join(', ')}, CASE WHEN ${isEvent(features)} THEN 'ahead of its timestamp' ELSE 'not an event' END
FROM ${quoted(`${name}_events`)}
WHERE NOT (${IS_VALID});
END`;
}

/** Fields, log position, and features. */
export function outputColumns(features: EventFeatures): string[] {
  const values = features.features.map((feature) => `${quoted(feature.name)} ${featureType(feature, features)}`);
  return [...fieldColumns(features), ...placeColumns(features), ...values];
}

/** Position of the record, and why it is in no window; none of its values. */
export function rejectedColumns(features: EventFeatures): string[] {
  return [...placeColumns(features), `${quoted(REASON)} STRING`];
}

const REASON = 'reason';

function placeColumns(features: EventFeatures): string[] {
  const { partition, offset } = placeNames(features);
  return [`${quoted(partition)} INT`, `${quoted(offset)} BIGINT`];
}

/** Names of the position columns, as in the warehouse. */
function placeNames({ log }: EventFeatures): { readonly partition: string; readonly offset: string } {
  return { partition: log?.partition ?? 'kafka_partition', offset: log?.offset ?? 'kafka_offset' };
}

function refuseClash(features: EventFeatures): void {
  const { partition, offset } = placeNames(features);
  const taken = new Set([...features.fields, ...features.features].map(({ name }) => name.toLowerCase()));
  const clash = [partition, offset].find((name) => taken.has(name.toLowerCase()) || name.toLowerCase() === REASON);
  if (clash === undefined) return;
  throw new ScoreBatchError(
    'configuration',
    `Flink writes the position of an event to the column ${clash}, but ${features.name} already uses that name`,
    { hint: 'choose other columns for partition and offset under `log` in the feature file' },
  );
}
