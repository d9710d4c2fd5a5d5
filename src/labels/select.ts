import type { Query } from '../domain/query.ts';
import type { Column } from '../domain/schema.ts';
import type { Dialect } from '../warehouse/dialect.ts';
import { keyHash } from '../warehouse/sql/dialect.ts';
import type { Source } from '../warehouse/warehouse.ts';
import type { LabelColumns } from './columns.ts';

/** Outcomes as read: 0, 1, or this for an invalid value. */
const INVALID = '2';

/** A part of all keys by their hash, so that memory stays bounded. */
export interface Partition {
  readonly index: number;
  readonly count: number;
}

/** Rows to join at once, of labels or of scores: about 100 MB. */
const ROWS_AT_ONCE = 250_000;

/** All partitions of the keys. @param rows of the larger side of a join */
export function partitionsOf(rows: number): Partition[] {
  const count = Math.max(1, Math.ceil(rows / ROWS_AT_ONCE));
  return Array.from({ length: count }, (_, index) => ({ index, count }));
}

/** Condition: the key, whose hash is in the column `key_hash`, belongs to the partition. */
export function isInPartition({ index, count }: Partition): string {
  return count === 1 ? '1 = 1' : `MOD(key_hash, ${count}) = ${index}`;
}

/** The time in which outcomes count, in the form of each column type that can hold a time. */
export type LabelTime = Readonly<Record<'date' | 'datetime' | 'timestamp', { readonly start: string; readonly end: string }>>;

/** Counts over all labels, before any is read. */
export interface LabelCounts {
  readonly rows: number;
  readonly keys: number;
  /** Keys that occur more than once. */
  readonly repeated: number;
  /** How often the most frequent key occurs. */
  readonly most: number;
  /** Labels whose outcome is null. */
  readonly unknown: number;
  /** Labels whose outcome is neither 0 nor 1. */
  readonly invalid: number;
  /** Labels from before and after the time in which outcomes count; 0 if the query does not return when they were observed. */
  readonly early: number;
  readonly late: number;
}

export async function countLabels(source: Source, query: Query, columns: LabelColumns, time: LabelTime): Promise<LabelCounts> {
  const [row = []] = await source.select(query, (dialect, relation) => {
    const when = (condition: string) => `SUM(CASE WHEN ${condition} THEN 1 ELSE 0 END)`;
    const sums = ['unknown', 'invalid', 'early', 'late'].map((name) => `SUM(${name})`);
    const read = `SELECT ${keyHash(dialect, columns.key)} AS key_hash, ${outcomeOf(dialect, columns.outcome)} AS came_true,
        ${outsideOf(dialect, columns.observedAt, time).join(', ')} FROM ${relation} labels`;
    const perKey = `SELECT key_hash, COUNT(*) AS n, ${when('came_true IS NULL')} AS unknown,
        ${when(`came_true = ${INVALID}`)} AS invalid, SUM(early) AS early, SUM(late) AS late FROM (${read}) labels GROUP BY key_hash`;
    const counts = ['SUM(n)', 'COUNT(*)', when('n > 1'), 'MAX(n)', ...sums];
    return `SELECT ${counts.map((count) => textOf(dialect, `COALESCE(${count}, 0)`)).join(', ')} FROM (${perKey}) per_key`;
  });
  const [rows = 0, keys = 0, repeated = 0, most = 0, unknown = 0, invalid = 0, early = 0, late = 0] = row.map(Number);
  return { rows, keys, repeated, most, unknown, invalid, early, late };
}

export interface Label {
  /** Undefined if the query returns the user without an outcome. */
  readonly cameTrue: boolean | undefined;
  readonly treated: boolean | undefined;
}

/** What counts for a user that the query of labels does not return, by `labels.missing`. */
export const UNLABELLED: Readonly<Record<'exclude' | 'negative', Label>> = {
  exclude: { cameTrue: undefined, treated: undefined },
  negative: { cameTrue: false, treated: undefined },
};

/** The labels of a partition, by key hash. */
export async function readLabels(
  source: Source,
  query: Query,
  columns: LabelColumns,
  partition: Partition,
): Promise<Map<string, Label>> {
  const rows = await source.select(query, (dialect, relation) => {
    const treated = columns.treated === undefined ? 'NULL' : truth(dialect.identifier(columns.treated.name));
    const read = `SELECT ${keyHash(dialect, columns.key)} AS key_hash, ${outcomeOf(dialect, columns.outcome)} AS came_true,
        ${treated} AS treated FROM ${relation} labels`;
    return `SELECT ${['key_hash', 'came_true', 'treated'].map((name) => textOf(dialect, name)).join(', ')}
      FROM (${read}) labels WHERE ${isInPartition(partition)}`;
  });
  return new Map(
    rows.map(([hash, cameTrue, treated]) => [String(hash), { cameTrue: truthOf(cameTrue), treated: truthOf(treated) }]),
  );
}

function truthOf(text: string | null | undefined): boolean | undefined {
  return text === null || text === undefined ? undefined : text === '1';
}

/** 1 for an outcome that came true, 0 for one that did not, null if unknown. */
function outcomeOf(dialect: Dialect, { name, type }: Column): string {
  const column = dialect.identifier(name);
  if (type === 'bool') return truth(column);
  return `CASE WHEN ${column} IS NULL THEN NULL WHEN ${column} = 1 THEN 1 WHEN ${column} = 0 THEN 0 ELSE ${INVALID} END`;
}

function truth(column: string): string {
  return `CASE WHEN ${column} IS NULL THEN NULL WHEN ${column} THEN 1 ELSE 0 END`;
}

/** 1 for a label from before, or from after, the time in which outcomes count. */
function outsideOf(dialect: Dialect, observedAt: Column | undefined, time: LabelTime): [early: string, late: string] {
  const type = observedAt?.type;
  if (observedAt === undefined || (type !== 'date' && type !== 'datetime' && type !== 'timestamp'))
    return ['0 AS early', '0 AS late'];
  const at = dialect.identifier(observedAt.name);
  const value = (text: string) => `CAST(${dialect.literal(text)} AS ${dialect.type({ type })})`;
  const when = (condition: string) => `CASE WHEN ${at} ${condition} THEN 1 ELSE 0 END`;
  return [`${when(`< ${value(time[type].start)}`)} AS early`, `${when(`>= ${value(time[type].end)}`)} AS late`];
}

function textOf(dialect: Dialect, expression: string): string {
  return `CAST(${expression} AS ${dialect.type({ type: 'string' })})`;
}
