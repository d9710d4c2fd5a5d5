import { quotedName, sqlName } from '../../domain/sql-name.ts';
import type { WarehouseKind } from '../../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { View } from './service.ts';

/** Column of the rows to score with the time as of which features are taken; Feast's examples call it this. */
export const AS_OF = 'event_timestamp';

export interface QueryOptions {
  readonly service: string;
  readonly views: readonly View[];
  readonly kind: WarehouseKind;
  /** SQL of the table with the rows to score. */
  readonly table: string;
  /** Path of a file in the query: unchanged, or relative to the project. */
  readonly file: (uri: string) => string;
}

/** The join keys of all views, without duplicates. */
export function joinKeysOf(views: readonly View[]): string[] {
  return [...new Set(views.flatMap(({ keys }) => keys.map(({ name }) => name)))];
}

/** Names of the feature columns, per view: the feature's own, or `view__feature` if that is taken. */
export function featureColumns(views: readonly View[]): readonly (readonly string[])[] {
  const taken = [...joinKeysOf(views), AS_OF, ...views.flatMap(({ features }) => features.map(({ name }) => name))];
  return views.map((view) =>
    view.features.map(({ name }) => (taken.filter((one) => one === name).length > 1 ? `${view.name}__${name}` : name)),
  );
}

/**
 * The point-in-time query of a feature service: for each row to score, the newest row of each view that is not after it and is
 * within the view's TTL, both ends included. Of rows with the same time the last created one counts, and null counts as created
 * first.
 *
 * @throws ScoreBatchError `configuration` if rows of a view are in another kind of warehouse
 */
export function historyQuery({ service, views, kind, table, file }: QueryOptions): string {
  const name = (column: string) => sqlName(column, kind);
  const keys = joinKeysOf(views);
  const columns = featureColumns(views);
  const steps = views.map((view, i) => viewStep(view, columns[i] ?? [], { kind, file, step: `view_${i + 1}` }));
  const selected = [
    ...keys.map((key) => `entities.${name(key)}`),
    `entities.${AS_OF}`,
    ...views.flatMap((_, i) => (columns[i] ?? []).map((column) => `view_${i + 1}.${name(column)}`)),
  ];
  const joins = views.map((view, i) => {
    const on = [...view.keys.map((key) => name(key.name)), AS_OF].map((key) => `view_${i + 1}.${key} = entities.${key}`);
    return `left join view_${i + 1} on ${on.join(' and ')}`;
  });
  return [
    `-- The features of ${oneLine(service)}, a feature service of Feast, as Feast's get_historical_features computes them.`,
    `-- ${table} has the rows to score: the join keys, and as of when their features are known (${AS_OF}).`,
    'with entities as (',
    `  select distinct ${[...keys.map(name), AS_OF].join(', ')}`,
    `  from ${table}`,
    `  where ${AS_OF} >= :window_start and ${AS_OF} < :window_end`,
    '),',
    steps.join(',\n'),
    `select\n  ${selected.join(',\n  ')}`,
    'from entities',
    ...joins,
    '',
  ].join('\n');
}

interface Step {
  readonly kind: WarehouseKind;
  readonly file: QueryOptions['file'];
  readonly step: string;
}

function viewStep(view: View, columns: readonly string[], { kind, file, step }: Step): string {
  const name = (column: string) => sqlName(column, kind);
  const source = (column: string) => `source.${quotedName(column, kind)}`;
  const keys = view.keys.map((key) => key.name);
  const as = view.features.map(({ column }, i) => `${source(column)} as ${name(columns[i] ?? '')}`);
  const on = [
    ...view.keys.map((key) => `${source(key.column)} = entities.${name(key.name)}`),
    `${source(view.time)} <= entities.${AS_OF}`,
    ...(view.ttl === undefined ? [] : [`${source(view.time)} >= ${before(view.ttl, kind)}`]),
  ];
  const newest = [
    `${source(view.time)} desc`,
    ...(view.created === undefined ? [] : [`${source(view.created)} desc nulls last`]),
  ];
  const row = [...keys.map((key) => `entities.${name(key)}`), `entities.${AS_OF}`];
  return [
    `-- ${oneLine(view.name)}`,
    `${step} as (`,
    `  select ${[...row, ...as].join(', ')}`,
    `  from (select distinct ${[...keys.map(name), AS_OF].join(', ')} from entities) as entities`,
    `  join ${from(view, kind, file)} as source on ${on.join('\n    and ')}`,
    '  where true',
    `  qualify row_number() over (partition by ${row.join(', ')} order by ${newest.join(', ')}) = 1`,
    ')',
  ].join('\n');
}

/** The oldest time within the TTL. */
function before(ttl: bigint, kind: WarehouseKind): string {
  const [length, unit] = ttl % 1_000_000n === 0n ? [ttl / 1_000_000n, 'second'] : [ttl, 'microsecond'];
  if (kind === 'bigquery') return `timestamp_sub(entities.${AS_OF}, interval ${length} ${unit})`;
  if (kind === 'snowflake') return `timestampadd(${unit}, -${length}, entities.${AS_OF})`;
  // DuckDB's `interval` takes only 32 bits.
  return `entities.${AS_OF} - to_${unit}s(${length})`;
}

function from({ name, rows }: View, kind: WarehouseKind, file: QueryOptions['file']): string {
  const where = rows.kind === 'file' ? 'duckdb' : rows.kind;
  if (where !== kind) {
    const what = rows.kind === 'file' ? 'Parquet files, which DuckDB reads' : where;
    throw new ScoreBatchError('configuration', `the rows of ${name} are in ${what}, but the warehouse is ${kind}`, {
      hint: 'choose the warehouse of the rows with --warehouse, or give the view a source in this one',
    });
  }
  if (rows.kind === 'file') return `read_parquet('${file(rows.uri).replaceAll("'", "''")}')`;
  if ('query' in rows) return `(${rows.query})`;
  return rows.table.map((part) => quotedName(part, kind)).join('.');
}

/** A line break would end the comment. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
