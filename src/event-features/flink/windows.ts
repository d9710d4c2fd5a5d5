import type { Condition, EventFeatures, WindowFeature } from '../definition.ts';
import { ROW_TIME } from './tables.ts';
import { flinkType, interval, predicate, quoted } from './text.ts';
import { VERDICT } from './verdicts.ts';

/** An OVER window, and the columns that it adds. */
interface Over {
  readonly window: string;
  readonly columns: readonly string[];
}

/**
 * Views of accepted events with what the features are computed from: one view per OVER window, since a query may have only one.
 * The last is `NAME_windows`.
 */
export function windowViews(features: EventFeatures): { readonly name: string; readonly query: string }[] {
  const { name } = features;
  const filters = sinceFilters(features);
  const marks = filters.map((where, i) => `COALESCE(${predicate(where, features.fields)}, FALSE) AS ${quoted(`$match_${i}`)}`);
  const accepted = `SELECT ${['*', ...marks].join(', ')}\nFROM ${quoted(`${name}_verdicts`)}\nWHERE ${quoted(VERDICT)} = 'accepted'`;
  const overs = [...lengths(features), ...ties(features, filters)];
  const views = [{ name: `${name}_accepted`, query: accepted }];
  for (const [i, { window, columns }] of overs.entries()) {
    const from = views.at(-1)?.name ?? '';
    const query = `SELECT *,\n  ${columns.join(',\n  ')}\nFROM ${quoted(from)}\nWINDOW w AS ${window}`;
    views.push({ name: i === overs.length - 1 ? `${name}_windows` : `${name}_windows_${i + 1}`, query });
  }
  return views;
}

/** The value of each feature, from the columns of the last view. */
export function featureColumns(features: EventFeatures): string[] {
  return features.features.map((feature) => `${featureValue(feature, features)} AS ${quoted(feature.name)}`);
}

export function featureType({ aggregate, field }: WindowFeature, { fields }: EventFeatures): string {
  if (aggregate === 'mean') return 'DOUBLE';
  if (aggregate === 'min' || aggregate === 'max' || aggregate === 'last')
    return flinkType(fields.find(({ name }) => name === field)?.type ?? 'int64');
  return 'BIGINT';
}

/** One window per length, with the aggregates of its features. */
function lengths(features: EventFeatures): Over[] {
  const all = [...new Set(features.features.map(({ windowMs }) => windowMs))].sort((a, b) => a - b);
  return all.map((windowMs) => ({
    window: `(PARTITION BY ${quoted(features.key)} ORDER BY ${quoted(ROW_TIME)} RANGE BETWEEN ${interval(windowMs)} PRECEDING AND CURRENT ROW)`,
    columns: features.features.filter((feature) => feature.windowMs === windowMs).flatMap((f) => aggregates(f, features)),
  }));
}

function aggregates(feature: WindowFeature, features: EventFeatures): string[] {
  const { aggregate, field, name, where } = feature;
  const of = (value: string): string =>
    where.length === 0 ? value : `CASE WHEN ${predicate(where, features.fields)} THEN ${value} END`;
  const value = of(field === undefined ? '1' : quoted(field));
  const as = (sql: string, part: string): string => `${sql} OVER w AS ${part}`;
  switch (aggregate) {
    case 'count':
      return [as(`COUNT(${value})`, column(name))];
    case 'distinct':
      return [as(`COUNT(DISTINCT ${value})`, column(name))];
    case 'sum':
    case 'min':
    case 'max':
      return [as(`${aggregate.toUpperCase()}(${value})`, column(name))];
    case 'mean':
      return [as(`SUM(${value})`, column(name, 'sum')), as(`COUNT(${value})`, column(name, 'count'))];
    case 'last':
      return [as(`MAX(${of(tagged(quoted(field ?? ''), features))})`, column(name))];
    case 'since':
      return [as(`MAX(${of(quoted(features.time))})`, column(name))];
  }
}

/**
 * The value with a sort prefix: 13 digits of time, the id in hexadecimal, a blank. The blank sorts below hexadecimal digits, so
 * an id sorts before longer ones that begin with it. Two accepted events of a partition in one window never have the same id;
 * events of two partitions may, and if their times are also equal, the value's text decides.
 */
function tagged(value: string, { time, id }: EventFeatures): string {
  const order = `LPAD(CAST(${quoted(time)} AS STRING), 13, '0') || HEX(${quoted(id)})`;
  return `${order} || ' ' || CAST(${value} AS STRING)`;
}

/** Distinct filters of the `since` features: each needs the previous event. */
function sinceFilters({ features }: EventFeatures): (readonly Condition[])[] {
  const all = features.filter(({ aggregate }) => aggregate === 'since').map(({ where }) => where);
  const texts = all.map((where) => JSON.stringify(where));
  return all.filter((_, i) => texts.indexOf(texts[i] ?? '') === i);
}

/**
 * For each filter: how many match at the same instant, then the time of the previous event among those that match as e does.
 */
function ties({ key, time }: EventFeatures, filters: readonly (readonly Condition[])[]): Over[] {
  if (filters.length === 0) return [];
  const order = `ORDER BY ${quoted(ROW_TIME)}`;
  const same = {
    window: `(PARTITION BY ${quoted(key)} ${order} RANGE BETWEEN ${interval(0)} PRECEDING AND CURRENT ROW)`,
    columns: filters.map((_, i) => `COUNT(CASE WHEN ${quoted(`$match_${i}`)} THEN 1 END) OVER w AS ${quoted(`$ties_${i}`)}`),
  };
  const before = filters.map((_, i) => ({
    window: `(PARTITION BY ${quoted(key)}, ${quoted(`$match_${i}`)} ${order} ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)`,
    columns: [`MIN(${quoted(time)}) OVER w AS ${quoted(`$before_${i}`)}`, `COUNT(*) OVER w AS ${quoted(`$rows_${i}`)}`],
  }));
  return [same, ...before];
}

function featureValue(feature: WindowFeature, features: EventFeatures): string {
  const { aggregate, name } = feature;
  const value = column(name);
  if (aggregate === 'mean') return `CAST(${column(name, 'sum')} AS DOUBLE) / CAST(${column(name, 'count')} AS DOUBLE)`;
  if (aggregate === 'last') {
    const text = `SUBSTRING(${value} FROM POSITION(' ' IN ${value}) + 1)`;
    const type = featureType(feature, features);
    return type === 'STRING' ? text : `CAST(${text} AS ${type})`;
  }
  return aggregate === 'since' ? since(feature, features) : value;
}

/** An event that matches the filter is itself the newest match, so the previous event counts. */
function since({ name, where, windowMs }: WindowFeature, features: EventFeatures): string {
  const i = sinceFilters(features).findIndex((filter) => JSON.stringify(filter) === JSON.stringify(where));
  const [match, ties, before, rows] = ['match', 'ties', 'before', 'rows'].map((part) => quoted(`$${part}_${i}`));
  const at = quoted(features.time);
  return `CASE
    WHEN ${ties} > CASE WHEN ${match} THEN 1 ELSE 0 END THEN 0
    WHEN NOT ${match} THEN ${at} - ${column(name)}
    WHEN ${rows} > 1 AND ${before} >= ${at} - ${windowMs} THEN ${at} - ${before}
  END`;
}

function column(feature: string, part?: string): string {
  return quoted(part === undefined ? `$${feature}` : `$${feature}:${part}`);
}
