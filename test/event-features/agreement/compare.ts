import type { Database } from '../../../src/duckdb/database.ts';
import { literal, identifier as quoted } from '../../../src/duckdb/sql.ts';
import type { EventFeatures, FieldType, WindowFeature } from '../../../src/event-features/definition.ts';

export const DUCKDB_TYPES: Readonly<Record<FieldType, string>> = {
  string: 'VARCHAR',
  int64: 'BIGINT',
  float64: 'DOUBLE',
  bool: 'BOOLEAN',
};

/** Rows that two forms do not have in common. */
export interface Differences {
  /** Rows with features in the first form. */
  readonly rows: number;
  /** Rows that only one of them has. */
  readonly unpaired: number;
  /** Rows with another value of any feature. */
  readonly different: number;
  /** Per feature that differs anywhere: in how many rows, and one of them. */
  readonly features: Readonly<Record<string, { readonly rows: number; readonly example: string }>>;
}

/** Which forms differ from the plain one, and where: all agree if there are none. */
export function disagreeing(forms: Readonly<Record<string, Differences>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(forms)
      .filter(([, { different, unpaired }]) => different + unpaired > 0)
      .map(([form, { different, unpaired, features }]) => [form, { different, unpaired, features }]),
  );
}

function featureType({ aggregate, field }: WindowFeature, { fields }: EventFeatures): string {
  if (aggregate === 'mean') return 'DOUBLE';
  const type = fields.find(({ name }) => name === field)?.type ?? 'int64';
  return ['min', 'max', 'last'].includes(aggregate) ? DUCKDB_TYPES[type] : 'BIGINT';
}

/** Columns of a form: place, then features. */
export function resultColumns(features: EventFeatures): Record<string, string> {
  const { partition = '', offset = '' } = features.log ?? {};
  const values = features.features.map((feature) => [feature.name, featureType(feature, features)]);
  return { [partition]: 'BIGINT', [offset]: 'BIGINT', ...Object.fromEntries(values) };
}

export function columnList(columns: Readonly<Record<string, string>>): string {
  return `{${Object.entries(columns)
    .map(([name, type]) => `${literal(name)}: ${literal(type)}`)
    .join(', ')}}`;
}

/** Compares two tables of `resultColumns`, bit by bit. */
export async function compareForms(
  database: Database,
  features: EventFeatures,
  one: string,
  other: string,
): Promise<Differences> {
  const [partition, offset] = [features.log?.partition ?? '', features.log?.offset ?? ''].map(quoted);
  const on = `USING (${partition}, ${offset})`;
  const differs = (name: string): string => `o.${quoted(name)} IS DISTINCT FROM p.${quoted(name)}`;
  const count = async (sql: string): Promise<number> => Number((await database.rows(sql))[0]?.[0]);
  const unpaired = await count(
    `SELECT (SELECT count(*) FROM ${one} o ANTI JOIN ${other} ${on}) + (SELECT count(*) FROM ${other} p ANTI JOIN ${one} ${on})`,
  );
  const found: Record<string, { rows: number; example: string }> = {};
  for (const { name } of features.features) {
    const rows = await count(`SELECT count(*) FROM ${one} o JOIN ${other} p ${on} WHERE ${differs(name)}`);
    if (rows === 0) continue;
    const shown = await database.rows(
      `SELECT ${partition} || ':' || ${offset} || ' ' || coalesce(o.${quoted(name)}::VARCHAR, 'null') || ' ' ||
         coalesce(p.${quoted(name)}::VARCHAR, 'null') FROM ${one} o JOIN ${other} p ${on} WHERE ${differs(name)} LIMIT 1`,
    );
    found[name] = { rows, example: String(shown[0]?.[0]) };
  }
  const any = features.features.map(({ name }) => differs(name)).join(' OR ');
  const different = await count(`SELECT count(*) FROM ${one} o JOIN ${other} p ${on} WHERE ${any}`);
  return { different, rows: await count(`SELECT count(*) FROM ${one}`), unpaired, features: found };
}
