import { nearest } from '../suggest.ts';
import type { Problem } from '../yaml/checked.ts';
import { AGGREGATES, type Aggregate, type FieldType } from './definition.ts';
import type { FeatureEntry, FeatureFile } from './schema.ts';

const MAX_WINDOW_MS = 7 * 86_400_000;
/** Most features per file: rows of a warehouse are limited, too. */
const MAX_FEATURES = 500;

/** Checks across the keys of a feature file. */
export function featureChecks(file: FeatureFile): Problem[] {
  return [
    ...keyFields(file),
    ...nameClashes(file),
    ...spans(file),
    ...count(file),
    ...Object.entries(file.features).flatMap(([name, entry]) => [
      ...aggregateProblems(file, name, entry),
      ...conditionProblems(file, name, entry),
    ]),
  ];
}

/** Values that no check refuses, in the place of refused ones. */
const STAND_INS: Readonly<Record<string, unknown>> = { name: 'x', as_of: 'event', lateness: '7d' };
const NEEDED = ['key', 'id', 'time', 'fields'];

/** A feature file without the features and keys that its schema refuses. */
export function withoutRefused(content: unknown, refused: readonly Problem[]): unknown {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return undefined;
  const { features, ...file } = content as Readonly<Record<string, unknown>>;
  const places = refused.map(({ path, key }) => [...path, ...(key === undefined ? [] : [key])].map(String));
  const names = places.flatMap(([top, name]) => (top === 'features' && name !== undefined ? [name] : []));
  const kept = Object.entries(features ?? {}).filter(([name]) => !names.includes(name));
  const tops = places.flatMap(([top]) => (top === undefined || top === 'features' || NEEDED.includes(top) ? [] : [top]));
  const rest = Object.entries(file).filter(([key]) => !tops.includes(key));
  const standIns = Object.entries(STAND_INS).filter(([key]) => tops.includes(key));
  // Without any feature left, the file would be refused for having none.
  return kept.length === 0 ? undefined : { ...Object.fromEntries([...rest, ...standIns]), features: Object.fromEntries(kept) };
}

function keyFields({ key, id, time, fields }: FeatureFile): Problem[] {
  const wanted = [
    { path: 'key', name: key, type: 'string' },
    { path: 'id', name: id, type: 'string' },
    { path: 'time', name: time, type: 'int64' },
  ];
  return wanted.flatMap(({ path, name, type }, index) => {
    const found = typeOf(fields, name);
    if (found === undefined) return [{ path: [path], message: unknownField(fields, name) }];
    if (found !== type) return [{ path: ['fields', name], message: `the ${path} of an event must be ${type}, not ${found}` }];
    const same = wanted.slice(0, index).find((other) => other.name === name);
    return same === undefined
      ? []
      : [{ path: [path], message: `${name} is already the ${same.path}: key, id and time must be three different fields` }];
  });
}

/** Fields and features are columns of one table, and warehouses ignore case. */
function nameClashes({ fields, features, log }: FeatureFile): Problem[] {
  const named = [
    ...Object.keys(fields).map((name) => ({ path: ['fields'], name, what: 'a field' })),
    ...Object.keys(features).map((name) => ({ path: ['features'], name, what: 'a feature' })),
  ];
  const seen = new Map<string, string>();
  const clashes = named.flatMap(({ path, name, what }) => {
    const other = seen.get(name.toLowerCase());
    seen.set(name.toLowerCase(), what);
    return other === undefined ? [] : [{ path, key: name, message: `${name} is already ${other}: case does not count` }];
  });
  const reserved = Object.keys(fields)
    .filter((name) => name.toLowerCase() === 'events')
    .map((name) => ({
      path: ['fields'],
      key: name,
      message: 'events is reserved for the events themselves: rename the field',
    }));
  const columns = Object.entries(log ?? {}).flatMap(([key, name], index, all) => {
    const twice = all.slice(0, index).some(([, other]) => other.toLowerCase() === name.toLowerCase());
    const other = twice ? 'another column of log' : seen.get(name.toLowerCase());
    return other === undefined ? [] : [{ path: ['log', key], message: `${name} is already ${other}` }];
  });
  return [...clashes, ...reserved, ...columns];
}

function spans({ lateness, skew, features }: FeatureFile): Problem[] {
  return [
    ...(lateness > MAX_WINDOW_MS ? [{ path: ['lateness'], message: 'must be at most 7d' }] : []),
    ...(skew !== undefined && skew > lateness
      ? [{ path: ['skew'], message: 'must not be more than lateness: an event that far ahead would make others late' }]
      : []),
    ...Object.entries(features)
      .filter(([, { window }]) => window < 1 || window > MAX_WINDOW_MS)
      .map(([name]) => ({ path: ['features', name, 'window'], message: 'must be from 1ms to 7d' })),
  ];
}

function count({ features }: FeatureFile): Problem[] {
  const found = Object.keys(features).length;
  if (found === 0) return [{ path: ['features'], message: 'name at least one feature' }];
  return found > MAX_FEATURES ? [{ path: ['features'], message: `name at most ${MAX_FEATURES} features` }] : [];
}

/** An entry's aggregate and its field; undefined if it has no aggregate or several. */
export function aggregateOf(entry: FeatureEntry): { readonly aggregate: Aggregate; readonly field: string } | undefined {
  const [first, ...more] = AGGREGATES.flatMap((aggregate) => {
    const field = entry[aggregate];
    return field === undefined ? [] : [{ aggregate, field }];
  });
  return more.length > 0 ? undefined : first;
}

function aggregateProblems({ fields }: FeatureFile, name: string, entry: FeatureEntry): Problem[] {
  const found = aggregateOf(entry);
  if (found === undefined) return [{ path: ['features', name], message: `give exactly one of ${AGGREGATES.join(', ')}` }];
  const { aggregate, field } = found;
  const path = ['features', name, aggregate];
  if (field === 'events' && (aggregate === 'count' || aggregate === 'since')) return [];
  if (aggregate === 'since') return [{ path, message: 'it measures from the previous event: write since: events' }];
  const type = typeOf(fields, field);
  if (type === undefined) return [{ path, message: unknownField(fields, field) }];
  const problem = typeProblem(aggregate, type);
  return problem === undefined ? [] : [{ path, message: `${field} is ${type}: ${problem}` }];
}

function typeProblem(aggregate: Aggregate, type: FieldType): string | undefined {
  if ((aggregate === 'sum' || aggregate === 'mean') && type !== 'int64')
    return type === 'float64'
      ? `a ${aggregate} of float64 depends on the order of its terms; send whole numbers, such as cents`
      : `a ${aggregate} needs an int64 field`;
  if ((aggregate === 'min' || aggregate === 'max') && type === 'bool')
    return `a bool has no ${aggregate}; count events where it is true`;
  if (aggregate === 'distinct' && type === 'float64')
    return 'two float64 values that look the same can differ; send whole numbers or text';
  return undefined;
}

function conditionProblems({ fields }: FeatureFile, name: string, { where }: FeatureEntry): Problem[] {
  return Object.entries(where).flatMap(([field, condition]): Problem[] => {
    const path = ['features', name, 'where', field];
    const type = typeOf(fields, field);
    if (type === undefined) return [{ path: path.slice(0, -1), key: field, message: unknownField(fields, field) }];
    if (typeof condition === 'object' && !Array.isArray(condition)) {
      if (type !== 'int64' && type !== 'float64')
        return [{ path, message: `${field} is ${type}: at_least and below are for numbers` }];
      const bounds = Object.entries(condition).flatMap(([key, value]) =>
        value === undefined || fits(value, type)
          ? []
          : [{ path: [...path, key], message: `${field} is ${type}; the bound is not` }],
      );
      const { at_least, below } = condition;
      const isEmpty = at_least !== undefined && below !== undefined && at_least >= below;
      return isEmpty ? [{ path, message: 'no value can match: at_least must be less than below' }] : bounds;
    }
    const values = Array.isArray(condition) ? condition : [condition];
    return values.flatMap((value, index) =>
      fits(value, type)
        ? []
        : [{ path: Array.isArray(condition) ? [...path, index] : path, message: `${field} is ${type}; the value is not` }],
    );
  });
}

function fits(value: string | number | boolean, type: FieldType): boolean {
  if (type === 'string') return typeof value === 'string';
  if (type === 'bool') return typeof value === 'boolean';
  return type === 'int64' ? Number.isSafeInteger(value) : Number.isFinite(value);
}

function typeOf(fields: FeatureFile['fields'], name: string): FieldType | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function unknownField(fields: FeatureFile['fields'], name: string): string {
  const best = nearest(name, Object.keys(fields));
  return `there is no field ${name}${best === undefined ? '; declare it under fields' : `; did you mean ${best}?`}`;
}
