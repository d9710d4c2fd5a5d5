import type { FrozenTable } from '../domain/frozen-table.ts';
import type { Query } from '../domain/query.ts';
import { type Column, findColumn } from '../domain/schema.ts';
import type { Plan, SlicePlan } from '../plan/plan.ts';
import type { Dialect } from '../warehouse/dialect.ts';
import type { TextRow } from '../warehouse/reader.ts';
import type { Source } from '../warehouse/warehouse.ts';
import type { ChangeSource } from './changes/source.ts';

/** Keys per VALUES list. */
const KEYS_PER_LIST = 1000;

/** The run whose frozen table holds the changed keys. */
export function keysRun(runId: string): string {
  return `${runId}.keys`;
}

interface ChangedKeys {
  readonly plan: Plan & { readonly slice: SlicePlan };
  readonly runId: string;
  readonly sources: readonly ChangeSource[];
  /** Further keys as canonical strings. */
  readonly more: readonly TextRow[];
}

/**
 * Freezes the distinct changed keys, so that all later steps use the same ones. Returns those that an earlier start of the run
 * has already frozen.
 */
export async function freezeKeys({ plan, runId, sources, more }: ChangedKeys): Promise<FrozenTable> {
  const { source, key, slice, sizing } = plan;
  const selects = sources.flatMap((changes) => {
    const span = slice.details.spans.find((one) => one.source === changes.name);
    return span === undefined ? [] : [changes.keys(source.dialect, span)];
  });
  const query = selectKeys(source.dialect, key, [...selects, ...listKeys(source.dialect, key, more)]);
  try {
    // The keys are cast to one type, which may differ from the query's native one, such as NUMBER(18,0).
    const described = await source.describe(query);
    const keys = key.map((column) => ({ ...column, native: findColumn(described, column.name)?.native ?? column.native }));
    return await source.freeze(query, { runId: keysRun(runId), key: keys, columns: keys, ...sizing.chunking, hash: 'md5' });
  } catch (error) {
    throw sources.reduce((cause: unknown, changes) => changes.refusal(cause), error);
  }
}

function selectKeys(dialect: Dialect, key: readonly Column[], selects: readonly string[]): Query {
  const names = key.map(({ name }) => dialect.identifier(name));
  const typed = key.map((column, i) => `CAST(${names[i]} AS ${typeOf(dialect, column)}) AS ${names[i]}`);
  const all = selects.map((sql) => `SELECT ${typed.join(', ')} FROM (${sql}) changed`).join(' UNION ALL ');
  const text = `SELECT DISTINCT ${names.join(', ')} FROM (${all}) changed_keys WHERE ${names.map((name) => `${name} IS NOT NULL`).join(' AND ')}`;
  return { name: 'incremental.changes', texts: [text], parameters: [] };
}

/** SELECTs of keys given as canonical strings. */
function listKeys(dialect: Dialect, key: readonly Column[], keys: readonly TextRow[]): string[] {
  const selects: string[] = [];
  for (let i = 0; i < keys.length; i += KEYS_PER_LIST) {
    const rows = keys
      .slice(i, i + KEYS_PER_LIST)
      .map((row) =>
        key
          .map(
            (column, at) =>
              `CAST(${dialect.literal(row[at] ?? '')} AS ${typeOf(dialect, column)}) AS ${dialect.identifier(column.name)}`,
          )
          .join(', '),
      );
    selects.push(rows.map((row) => `SELECT ${row}`).join(' UNION ALL '));
  }
  return selects;
}

function typeOf(dialect: Dialect, { type, digits, name }: Column): string {
  if (type === 'other') throw new TypeError(`the key column ${name} cannot be compared`);
  return dialect.type({ type, ...(digits && { digits }) });
}

/** FROM clause with the keys of a frozen table, for a statement in the same warehouse. */
export async function frozenKeys(source: Source, frozen: FrozenTable, key: readonly Column[]): Promise<string> {
  const nothing: Query = { name: '', texts: [''], parameters: [] };
  return await source.showFrozen(
    frozen,
    nothing,
    (dialect, relation) =>
      `(SELECT ${key.map(({ name }) => dialect.identifier(name)).join(', ')} FROM ${relation} AS frozen_rows)`,
  );
}

/**
 * Changed keys that the query no longer returns, as canonical strings.
 *
 * @param rows the frozen rows of the query; undefined if there are none
 */
export async function goneKeys(
  source: Source,
  { keys, rows, key }: { readonly keys: FrozenTable; readonly rows: FrozenTable | undefined; readonly key: readonly Column[] },
): Promise<readonly TextRow[]> {
  if (keys.rows === 0) return [];
  const present = rows === undefined || rows.rows === 0 ? undefined : await frozenKeys(source, rows, key);
  return await source.selectFrozen(keys, (dialect, relation) => {
    const texts = key.map((column, i) => `${dialect.text(`changed.${dialect.identifier(column.name)}`, column)} AS key_${i}`);
    const same = key.map(({ name }) => `present.${dialect.identifier(name)} = changed.${dialect.identifier(name)}`);
    const gone = present === undefined ? '' : `WHERE NOT EXISTS (SELECT 1 FROM ${present} present WHERE ${same.join(' AND ')})`;
    return `SELECT ${texts.join(', ')} FROM ${relation} changed ${gone}`;
  });
}
