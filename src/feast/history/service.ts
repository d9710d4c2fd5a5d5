import { ScoreBatchError } from '../../errors.ts';
import { didYouMean } from '../../suggest.ts';
import { isMessage, type Message, messagesOf, type Registry, textMapOf, textOf } from './registry.ts';

/** Where a view's rows are stored. */
type Rows =
  | { readonly kind: 'file'; readonly uri: string }
  | { readonly kind: 'bigquery' | 'snowflake'; readonly table: readonly string[] }
  | { readonly kind: 'bigquery' | 'snowflake'; readonly query: string };

/** The part of a feature view that a service uses. Columns are those of its rows, before Feast renames them. */
export interface View {
  /** Name of the view, or the service's alias for it. */
  readonly name: string;
  readonly rows: Rows;
  /** Per join key: its name in the rows to score, and its column. */
  readonly keys: readonly { readonly name: string; readonly column: string }[];
  readonly features: readonly { readonly name: string; readonly column: string }[];
  readonly time: string;
  /** Column that breaks ties of time; undefined if none does. */
  readonly created: string | undefined;
  /** Microseconds for which a row is valid; undefined for forever. */
  readonly ttl: bigint | undefined;
}

/** The join key of views without entities. */
const DUMMY = '__dummy_id';

/**
 * The views of a feature service, as needed for their point-in-time query.
 *
 * @throws ScoreBatchError `configuration` if there is no such service, or SQL cannot do what it asks
 */
export function viewsOf(
  registry: Registry,
  service: string | undefined,
): { readonly service: string; readonly views: readonly View[] } {
  const names = [...registry.services.keys()];
  const [only] = names;
  if (service === undefined && (names.length > 1 || only === undefined)) {
    throw new ScoreBatchError('usage', `the repo has ${names.length} feature services`, {
      hint: only === undefined ? 'apply one with `feast apply`' : `choose one with --service: ${names.join(', ')}`,
    });
  }
  const name = service ?? (only as string);
  const spec = registry.services.get(name);
  if (spec === undefined)
    throw new ScoreBatchError('configuration', `the repo has no feature service ${name}`, { hint: didYouMean(name, names) });
  return { service: name, views: messagesOf(spec.features).map((projection) => viewOf(registry, projection)) };
}

function viewOf(registry: Registry, projection: Message): View {
  const name = textOf(projection.featureViewName);
  if (registry.onDemandViews.has(name)) {
    throw refusal(
      `${name} is an on-demand view, which Python computes`,
      'compute its features in the query, and remove the view from the service',
    );
  }
  const view = registry.views.get(name);
  if (view === undefined) throw refusal(`the service uses ${name}, which is not in the registry`, 'run `feast apply`');
  const source = isMessage(view.batchSource) ? view.batchSource : {};
  const renamed = textMapOf(source.fieldMapping);
  const column = (feature: string) => [...renamed].find(([, to]) => to === feature)?.[0] ?? feature;
  const joinKeys = textMapOf(projection.joinKeyMap);
  const keys = textsOf(view.entities)
    .map((entity) => textOf(registry.entities.get(entity)?.joinKey))
    .filter((key) => key !== DUMMY);
  if (keys.includes('')) throw refusal(`${name} has an entity that is not in the registry`, 'run `feast apply`');
  const created = textOf(source.createdTimestampColumn);
  return {
    name: textOf(projection.featureViewNameAlias) || name,
    rows: rowsOf(name, source),
    keys: keys.map((key) => ({ name: joinKeys.get(key) ?? key, column: column(key) })),
    features: messagesOf(projection.featureColumns).map((feature) => ({
      name: textOf(feature.name),
      column: column(textOf(feature.name)),
    })),
    time: column(textOf(source.timestampField)),
    created: created === '' ? undefined : column(created),
    ttl: microsecondsOf(textOf(view.ttl)),
  };
}

function rowsOf(view: string, source: Message): Rows {
  const [file, bigquery, snowflake] = [source.fileOptions, source.bigqueryOptions, source.snowflakeOptions];
  if (isMessage(file) && !isMessage(file.fileFormat)) return { kind: 'file', uri: textOf(file.uri) };
  if (isMessage(file) && isMessage(file.fileFormat) && 'parquetFormat' in file.fileFormat)
    return { kind: 'file', uri: textOf(file.uri) };
  if (isMessage(bigquery)) {
    const { table, query } = bigquery;
    return query ? { kind: 'bigquery', query: textOf(query) } : { kind: 'bigquery', table: textOf(table).split(/[.:]/) };
  }
  if (isMessage(snowflake)) {
    const { database, schema, table, query } = snowflake;
    if (query) return { kind: 'snowflake', query: textOf(query) };
    return { kind: 'snowflake', table: [database, schema, table].map(textOf).filter((part) => part !== '') };
  }
  throw refusal(
    `the rows of ${view} are in ${textOf(source.type) || 'no batch source'}`,
    'copy the rows to Parquet files, BigQuery or Snowflake, and make that the source of the view',
  );
}

/** `2592000s`, `0.5s` → microseconds; undefined for zero. */
function microsecondsOf(duration: string): bigint | undefined {
  const [, whole = '0', fraction = ''] = /^(\d+)(?:\.(\d+))?s$/.exec(duration) ?? [];
  const microseconds = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
  return microseconds === 0n ? undefined : microseconds;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(textOf) : [];
}

function refusal(message: string, hint: string): ScoreBatchError {
  return new ScoreBatchError('configuration', message, { hint });
}
