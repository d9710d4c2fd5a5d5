import path from 'node:path';
import { parseTableName, type TableName } from '../domain/table-name.ts';
import type { WarehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import type { EventFeatures } from '../event-features/definition.ts';
import type { AttributeTable } from '../event-features/sql/attributes.ts';
import type { EventsDefinition } from './events-schema.ts';
import { readText } from './locate.ts';

/** A table that the query of events reads. */
interface EventTable {
  /** Its key in the job file. */
  readonly where: string;
  readonly table: TableName;
  /** Columns to read; `whole` ones must be of an integer type. */
  readonly columns: readonly { readonly name: string; readonly whole: boolean }[];
}

/** What a job on events reads. */
export interface EventSources {
  readonly tables: readonly EventTable[];
  /**
   * Which attributes an event gets: those in the table when the query runs (`load`), of the version that was used, or as of the
   * event; undefined without attributes.
   */
  readonly attributesAsOf: 'load' | 'version' | 'event' | undefined;
}

interface Place {
  readonly kind: WarehouseKind;
  readonly root: string;
}

/**
 * The query of a job on events, compiled from its feature file. The compiler is loaded only here, because jobs with a query do
 * not need it.
 *
 * @throws ScoreBatchError `configuration` if the file is missing, or the file or the names of attributes have problems
 */
export async function eventQuery(
  events: EventsDefinition,
  { kind, root }: Place,
): Promise<{ readonly query: string; readonly events: EventSources }> {
  const [{ readEventFeatures }, { eventSql }] = await Promise.all([
    import('../event-features/read.ts'),
    import('../event-features/sql/event-sql.ts'),
  ]);
  const text = await readText(path.resolve(root, events.features), 'the feature file');
  const features = readEventFeatures(text, events.features);
  refuseClashes(events, features);
  const { attributes } = events;
  const query = eventSql(features, {
    table: nameOf(events.table),
    kind,
    attributes: attributes && { ...attributes, table: nameOf(attributes.table), row: rowOf(attributes) },
  });
  return { query, events: sourcesOf(events, features) };
}

const AS_OF = { current: 'load', used: 'version', valid: 'event' } as const;

function sourcesOf({ table, attributes }: EventsDefinition, { fields, log }: EventFeatures): EventSources {
  const plain = (names: readonly (string | undefined)[]) =>
    names.filter((name) => name !== undefined).map((name) => ({ name, whole: false }));
  const columns = [
    ...fields.map(({ name, type }) => ({ name, whole: type === 'int64' })),
    ...(log === undefined ? [] : [log.partition, log.offset, log.timestamp]).map((name) => ({ name, whole: true })),
    ...plain([attributes?.used]),
  ];
  const own = { where: 'source.events.table', table: nameOf(table), columns };
  if (attributes === undefined) return { tables: [own], attributesAsOf: undefined };
  const { key, version, valid_from: from } = attributes;
  const known = {
    where: 'source.events.attributes.table',
    table: nameOf(attributes.table),
    columns: plain([key, ...attributes.columns, version, from]),
  };
  return { tables: [own, known], attributesAsOf: AS_OF[rowOf(attributes).is] };
}

type Attributes = NonNullable<EventsDefinition['attributes']>;

function rowOf({ version, used, valid_from }: Attributes): AttributeTable['row'] {
  if (version !== undefined && used !== undefined) return { is: 'used', version, used };
  return valid_from === undefined ? { is: 'current' } : { is: 'valid', from: valid_from };
}

function nameOf(text: string): TableName {
  const name = parseTableName(text);
  if (name === undefined) throw new Error(`${text} passed the job file's check but is not a table name`);
  return name;
}

/** Attributes become columns beside fields and features, so names must not clash. */
function refuseClashes({ attributes }: EventsDefinition, { fields, features }: EventFeatures): void {
  const taken = new Set([...fields, ...features].map(({ name }) => name.toLowerCase()));
  for (const name of attributes?.columns ?? []) {
    if (taken.has(name.toLowerCase())) {
      throw new ScoreBatchError(
        'configuration',
        `the attribute ${name} has the name of a field, a feature or another attribute`,
        {
          hint: 'rename the column, in a view if necessary; all of them become columns of one table',
        },
      );
    }
    taken.add(name.toLowerCase());
  }
}
