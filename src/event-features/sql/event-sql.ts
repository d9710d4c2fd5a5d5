import type { TableName } from '../../domain/table-name.ts';
import type { WarehouseKind } from '../../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { EventFeatures, WindowFeature } from '../definition.ts';
import { acceptedSql, identityOf, windowOf } from './accepted.ts';
import { type AttributeTable, attributeSql } from './attributes.ts';
import { BIGQUERY } from './bigquery.ts';
import type { EventDialect } from './dialect.ts';
import { DUCKDB } from './duckdb.ts';
import { joinedSql } from './joined.ts';
import { lookBackSql } from './look-back.ts';
import { SNOWFLAKE } from './snowflake.ts';

const DIALECTS: Readonly<Record<WarehouseKind, EventDialect>> = { duckdb: DUCKDB, bigquery: BIGQUERY, snowflake: SNOWFLAKE };

export interface EventSource {
  /** Table with a row per event: a column per field, and those of `log`. */
  readonly table: TableName;
  readonly kind: WarehouseKind;
  readonly attributes?: AttributeTable | undefined;
}

/**
 * A SELECT with a row per accepted event whose time is in the window `[:window_start, :window_end)`: its fields in the order of
 * the feature file, then its features, then its attributes. docs/event-features.md defines what it computes.
 *
 * @throws ScoreBatchError `configuration` for features as of arrival without columns that tell the order of arrival
 */
export function eventSql(features: EventFeatures, { table, kind, attributes }: EventSource): string {
  if (features.asOf === 'arrival' && features.log === undefined) {
    throw new ScoreBatchError(
      'configuration',
      `the features of ${features.name} are as of arrival, but the feature file has no log`,
      {
        hint: "name the columns with Kafka's partition, offset and timestamp under log: they say which events had arrived",
      },
    );
  }
  const dialect = DIALECTS[kind];
  const looksBack = ({ aggregate }: WindowFeature) => features.asOf === 'event' && dialect.looksBack(aggregate);
  const ranged = features.features.filter(looksBack);
  const joined = features.features.filter((feature) => !looksBack(feature));
  const event = 'e';
  const known = attributes && attributeSql(dialect, features, attributes, event);
  const parts = [
    ...acceptedSql(dialect, features, dialect.table(table), usedColumn(attributes)),
    ...(ranged.length > 0 ? [lookBackSql(dialect, features, ranged)] : []),
    ...(joined.length > 0 ? [joinedSql(dialect, features, joined)] : []),
    ...(known?.parts ?? []),
  ];
  const columns = [
    ...features.fields.map(({ name }) => `${event}.${dialect.column(name)}`),
    ...features.features.map((feature) => `${looksBack(feature) ? event : 'j'}.${dialect.column(feature.name)}`),
    ...(known?.columns ?? []),
  ];
  const from = [
    `${ranged.length > 0 ? '_seen' : '_accepted'} ${event}`,
    ...(joined.length > 0 ? [`join _joined j on ${sameEvent(dialect, features, event)}`] : []),
    ...(known ? [known.from] : []),
  ];
  const at = `${event}.${dialect.column(features.time)}`;
  const { start, end } = windowOf(dialect);
  return `-- features of ${features.name} as of ${features.asOf}, ${features.digest}
with ${parts.join(',\n')}
select ${columns.join(',\n  ')}
from ${from.join('\n  ')}
where ${at} >= ${start} and ${at} < ${end}`;
}

/** Digest of the features that a statement of `eventSql` computes; undefined for other SQL. */
export function digestOfSql(sql: string): string | undefined {
  return /^-- features of \S+ as of \w+, ([0-9a-f]{64})$/m.exec(sql.split('\n', 1)[0] ?? '')?.[1];
}

function sameEvent(dialect: EventDialect, features: EventFeatures, event: string): string {
  return identityOf(dialect, features)
    .map((column) => `j.${column} = ${event}.${column}`)
    .join(' and ');
}

function usedColumn(attributes: AttributeTable | undefined): string | undefined {
  return attributes?.row.is === 'used' ? attributes.row.used : undefined;
}
