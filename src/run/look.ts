import type { FrozenTable } from '../domain/frozen-table.ts';
import type { Gate, Refusal } from '../domain/refusal.ts';
import type { Column } from '../domain/schema.ts';
import { findColumn } from '../domain/schema.ts';
import { featuresOf } from '../domain/signature.ts';
import type { TableLayout } from '../domain/tables.ts';
import type { Plan } from '../plan/plan.ts';
import type { Dialect } from '../warehouse/dialect.ts';
import type { SelectText } from '../warehouse/reader.ts';

/** A query that shows what a gate measured, and where to run it. */
export interface Look {
  readonly gate: Gate;
  readonly warehouse: string;
  readonly sql: string;
}

/** Limit, because hundreds of a model's features may drift. */
const MAX_FEATURES = 3;

type Looked = Pick<Plan, 'source' | 'sink' | 'kinds' | 'query' | 'tables' | 'job' | 'bundle' | 'features'>;

/** The queries to look with after a refusal: one per gate, or per feature for a gate that measures features. */
export async function looksAt(
  plan: Looked,
  runId: string,
  frozen: FrozenTable,
  refusals: readonly Refusal[],
): Promise<readonly Look[]> {
  const looks = new Map<string, Look>();
  const features = new Map<Gate, number>();
  for (const { gate, feature } of refusals) {
    const shown = features.get(gate) ?? 0;
    if (shown >= MAX_FEATURES) continue;
    features.set(gate, shown + 1);
    // A query that cannot be built must hide neither the refusal nor the other queries.
    const found = await lookAt(plan, { runId, frozen, gate, feature }).catch(() => undefined);
    if (found && !looks.has(found.sql)) looks.set(found.sql, { gate, ...found });
  }
  return [...looks.values()];
}

interface Refused {
  readonly runId: string;
  readonly frozen: FrozenTable;
  readonly gate: Gate;
  readonly feature: string | undefined;
}

async function lookAt(plan: Looked, { runId, frozen, gate, feature }: Refused): Promise<Omit<Look, 'gate'> | undefined> {
  const { source, sink, kinds, query, tables } = plan;
  const inSink = (sql: string | undefined) => (sql === undefined ? undefined : { warehouse: kinds.sink, sql });
  switch (gate) {
    case 'empty':
    case 'min_rows':
    case 'max_drop':
      return inSink(await overTable(plan, tables.ledger, publishedRows));
    case 'duplicates':
    case 'all_quarantined':
    case 'max_quarantine_rate':
      return inSink(sink.showRejected(runId));
    case 'max_score_psi':
      return inSink(await sink.showStaged(runId, scoresByTenth));
    case 'min_auc':
    case 'max_calibration_error':
      return inSink(await overTable(plan, tables.evaluation, measuredOutcomes));
    case 'never_seen':
    case 'max_feature_psi':
    case 'max_null_share': {
      const column = columnOf(plan, frozen, feature);
      if (column === undefined) return undefined;
      const statement =
        gate === 'max_null_share' ? nullsOf(column) : gate === 'never_seen' ? valuesOf(column) : spreadOf(column);
      return { warehouse: kinds.source, sql: await source.showFrozen(frozen, query, statement) };
    }
  }
}

/** The column of a feature, by its name in the frozen rows or the query. */
function columnOf({ bundle, features }: Looked, frozen: FrozenTable, feature: string | undefined): Column | undefined {
  const column = features[featuresOf(bundle.signature).findIndex((one) => one.feature.name === feature)];
  return column && ((frozen.tapped ? undefined : findColumn(frozen.columns, column.name)) ?? column);
}

/** @returns undefined if the table does not exist */
async function overTable(
  { sink, job }: Looked,
  layout: TableLayout | undefined,
  statement: (dialect: Dialect, table: string, job: string) => string,
): Promise<string | undefined> {
  if (layout === undefined) return undefined;
  return await sink.read(async ({ dialect, find }) => {
    const found = await find(layout);
    return found && statement(dialect, dialect.table(found.name), dialect.literal(job.definition.name));
  });
}

function publishedRows({ literal }: Dialect, ledger: string, job: string): string {
  return `SELECT window_label, state, rows_frozen, rows_quarantined FROM ${ledger} WHERE job = ${job} AND state IN (${literal('published')}, ${literal('refused')}) ORDER BY entry_number DESC LIMIT 20`;
}

function measuredOutcomes(dialect: Dialect, evaluation: string, job: string): string {
  return `SELECT window_label, contact_group, users, auc, auc_low, auc_high, mean_score, calibration_error FROM ${evaluation} WHERE job = ${job} AND part = ${dialect.literal('overall')} AND segment = ${dialect.literal('all')} ORDER BY window_start DESC, contact_group LIMIT 20`;
}

const scoresByTenth: SelectText = (_, staged) =>
  `SELECT FLOOR(score * 10) / 10 AS score_from, COUNT(*) AS row_count FROM ${staged} WHERE score IS NOT NULL GROUP BY 1 ORDER BY 1`;

function nullsOf({ name }: Column): SelectText {
  return (dialect, rows) =>
    `SELECT COUNT(*) AS row_count, COUNT(*) - COUNT(${dialect.identifier(name)}) AS null_count FROM ${rows} window_rows`;
}

function valuesOf({ name }: Column): SelectText {
  return (dialect, rows) =>
    `SELECT ${dialect.identifier(name)} AS feature_value, COUNT(*) AS row_count FROM ${rows} window_rows GROUP BY 1 ORDER BY 2 DESC LIMIT 20`;
}

/** A summary for numbers, the values for everything else. */
function spreadOf(column: Column): SelectText {
  if (column.type !== 'integer' && column.type !== 'decimal' && column.type !== 'float') return valuesOf(column);
  return (dialect, rows) => {
    const name = dialect.identifier(column.name);
    return `SELECT COUNT(*) AS row_count, COUNT(${name}) AS value_count, MIN(${name}) AS lowest, AVG(${name}) AS average, MAX(${name}) AS highest FROM ${rows} window_rows`;
  };
}
