import type { TableColumn } from '../../domain/tables.ts';
import type { Database } from '../../duckdb/database.ts';
import type { EventFeatures } from '../../event-features/definition.ts';
import { type Batch, keptOf, scoreOf } from './published.ts';

/** An event whose scores differ. */
export interface Difference {
  readonly id: string;
  readonly stream: number;
  readonly batch: number;
  /** Features that differ, among those that the batch keeps beside the score; null if it keeps none. */
  readonly features: readonly { readonly name: string; readonly stream: string | null; readonly batch: string | null }[] | null;
}

/** The events whose scores differ most. */
export async function differencesOf(
  database: Database,
  batch: Batch,
  { features }: EventFeatures,
  most: number,
): Promise<Difference[]> {
  const rows = await database.rows(`SELECT id, stream, batch, features FROM paired
    WHERE outside IS NULL AND abs(stream - batch) > 1 ORDER BY abs(stream - batch) DESC, id LIMIT ${most}`);
  const columns = features.flatMap(
    ({ name }) => batch.side.rows.table.columns.find((column) => column.name.toLowerCase() === name.toLowerCase()) ?? [],
  );
  const kept = await keptOf(
    batch,
    columns,
    rows.map(([id]) => String(id)),
  );
  return rows.map(([id, stream, published, json]) => ({
    id: String(id),
    stream: scoreOf(Number(stream)),
    batch: scoreOf(Number(published)),
    features: columns.length === 0 ? null : otherFeatures(String(json), columns, kept.get(String(id)) ?? []),
  }));
}

function otherFeatures(json: string, columns: readonly TableColumn[], batch: readonly (string | null)[]) {
  const stream = JSON.parse(json) as Readonly<Record<string, unknown>>;
  return columns.flatMap(({ name }, at) => {
    const own = Object.entries(stream).find(([of]) => of.toLowerCase() === name.toLowerCase())?.[1] ?? null;
    const pair = { name, stream: own === null ? null : String(own), batch: batch[at] ?? null };
    return isSame(pair.stream, pair.batch, typeof own === 'number') ? [] : [pair];
  });
}

/** Numbers have several spellings: `1`, `1.0`, `1e0`. */
function isSame(one: string | null, other: string | null, numeric: boolean): boolean {
  if (one === null || other === null || !numeric) return one?.toLowerCase() === other?.toLowerCase();
  return Number(one) === Number(other);
}
