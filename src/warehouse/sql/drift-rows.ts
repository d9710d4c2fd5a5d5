import type { FeatureDrift, MeasuredDrift } from '../../domain/feature-drift.ts';
import type { LedgerEntry } from '../../domain/ledger.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import { constants, insert, millionths } from './publication.ts';
import { inPublication } from './windows.ts';

// The rows of the drift table, written as literals, because this process knows the figures.

/** Rows per statement. */
const ROWS_AT_ONCE = 100;

/** Statements that insert a row per feature. A condition can be appended to each with AND. */
export function insertDrift(
  dialect: Dialect,
  table: TableLayout,
  entry: LedgerEntry,
  { rows, features }: MeasuredDrift,
): string[] {
  const statements = Math.ceil(features.length / ROWS_AT_ONCE);
  return Array.from({ length: statements }, (_, i) => {
    const part = features.slice(i * ROWS_AT_ONCE, (i + 1) * ROWS_AT_ONCE);
    const values = {
      ...constants(dialect, entry),
      feature: 'feature',
      ...Object.fromEntries(['psi', 'null_share', 'reference_null_share'].map((name) => [name, millionths(dialect, name)])),
      row_count: String(rows),
    };
    const literals = part.map((feature) => `SELECT ${figures(dialect, feature).join(', ')}`);
    return insert(dialect, table, values, `FROM (${literals.join(' UNION ALL ')}) measured WHERE 1 = 1`);
  });
}

/** Number of the window's rows in the drift table, as text. */
export function countDrift(dialect: Dialect, table: TableLayout, entry: LedgerEntry): string {
  return `SELECT CAST(COUNT(*) AS ${dialect.type({ type: 'string' })}) FROM ${dialect.table(table.name)}
    WHERE ${inPublication(dialect, table, entry)}`;
}

function figures(dialect: Dialect, { feature, psi, nullShare, referenceNullShare }: FeatureDrift): string[] {
  const whole = (value: number) => String(Math.round(value * 1e6));
  return [
    `${dialect.literal(feature)} AS feature`,
    `${whole(psi)} AS psi`,
    `${whole(nullShare)} AS null_share`,
    `${whole(referenceNullShare)} AS reference_null_share`,
  ];
}
