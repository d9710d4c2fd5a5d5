import type { LedgerEntry, LedgerWindow } from '../../domain/ledger.ts';
import { isSliceJob } from '../../domain/slice.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { HistoryOf, LedgerFilter } from '../ledger-filter.ts';
import { instant } from './dialect.ts';

/** Appends an entry with the next number. Hold the publish lock if the number must be unique. */
export function insertEntry(dialect: Dialect, layout: TableLayout, entry: LedgerEntry): string {
  const values = valuesOf(dialect, entry);
  const columns = layout.columns.map(({ name }) => dialect.identifier(name));
  const selected = layout.columns.map(
    (column) => `CAST(${values[column.name] ?? 'NULL'} AS ${dialect.type(column)}) AS ${dialect.identifier(column.name)}`,
  );
  return `INSERT INTO ${dialect.table(layout.name)} (${columns.join(', ')})
    SELECT ${selected.join(', ')} FROM ${dialect.table(layout.name)} entries`;
}

/** Selects entries ordered by number, every value as text; see `readEntry`. */
export function selectEntries(dialect: Dialect, layout: TableLayout, filter: LedgerFilter): string {
  const { job, runs, states, window, near, history, newest } = filter;
  const conditions = [
    ...(job === undefined ? [] : [`job = ${dialect.literal(job)}`]),
    ...(runs === undefined ? [] : [`run_id IN (${runs.map(dialect.literal).join(', ')})`]),
    ...(states === undefined ? [] : [`state IN (${states.map(dialect.literal).join(', ')})`]),
    ...(window === undefined
      ? []
      : [`window_start = ${instant(dialect, window.start)}`, `window_end = ${instant(dialect, window.end)}`]),
    ...(near === undefined ? [] : [isNear(dialect, near)]),
    ...(history === undefined ? [] : [isHistory(dialect, layout, job, history)]),
    ...(job !== undefined && (window ?? near) !== undefined && states === undefined ? isNewest(dialect, layout, job) : []),
  ];
  const columns = layout.columns.map(
    (column) => `${dialect.text(`entries.${dialect.identifier(column.name)}`, column)} AS ${dialect.identifier(column.name)}`,
  );
  // Qualified, because the unqualified names are the text columns.
  const number = `entries.${dialect.identifier('entry_number')}`;
  const from = `FROM ${dialect.table(layout.name)} entries`;
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const chosen =
    newest === undefined
      ? where
      : `WHERE ${number} IN (SELECT ${number} ${from} ${where} ORDER BY ${number} DESC LIMIT ${newest})`;
  return `SELECT ${columns.join(', ')} ${from}
    ${chosen}
    ORDER BY ${number}, entries.${dialect.identifier('recorded_at')}`;
}

/**
 * Condition for a job of slices, none for others: the entry, aliased `entries`, is the newest publication of the job or was
 * written after it. Such a job has a single window with thousands of publications a year, of which only the newest counts.
 */
export function isNewest(dialect: Dialect, layout: TableLayout, job: string): readonly string[] {
  if (!isSliceJob(job)) return [];
  const condition = `entries.entry_number >= COALESCE((SELECT MAX(entry_number) FROM ${dialect.table(layout.name)}
    WHERE job = ${dialect.literal(job)} AND publication IS NOT NULL), 0)`;
  return [condition];
}

/** Condition: the entry's window overlaps this one or has its label. */
export function isNear(dialect: Dialect, { label, start, end }: LedgerWindow): string {
  const overlaps = `window_start < ${instant(dialect, end)} AND window_end > ${instant(dialect, start)}`;
  return `(window_label = ${dialect.literal(label)} OR (${overlaps}))`;
}

/** See `HistoryOf`. */
function isHistory(dialect: Dialect, layout: TableLayout, job: string | undefined, { window, model }: HistoryOf): string {
  const { literal } = dialect;
  const ofJob = job === undefined ? '' : `job = ${literal(job)} AND`;
  const earlier = `window_kind = ${literal(window.kind)} AND window_start < ${instant(dialect, window.start)}`;
  const superseded = `SELECT run_id FROM ${dialect.table(layout.name)} WHERE ${ofJob} state = 'superseded'`;
  const latest = `SELECT MAX(window_start) FROM ${dialect.table(layout.name)}
    WHERE ${ofJob} publication IS NOT NULL AND ${earlier} AND run_id NOT IN (${superseded})`;
  return `publication IS NOT NULL AND ((${earlier} AND window_start = (${latest})) OR (${isOtherDigest(dialect, model)}))`;
}

/** Condition: the entry's model has the same name and version but another digest. */
export function isOtherDigest({ literal }: Dialect, { name, version, digest }: LedgerEntry['model']): string {
  return `model_name = ${literal(name)} AND model_version = ${literal(version)} AND model_digest <> ${literal(digest)}`;
}

/** Expression for the publication number of the entry's window; 0 if it is not published. */
export function publishedNumber(dialect: Dialect, layout: TableLayout, { job, window }: LedgerEntry): string {
  return `COALESCE((SELECT CASE WHEN state = 'superseded' THEN 0 ELSE publication END FROM ${dialect.table(layout.name)}
    WHERE job = ${dialect.literal(job)} AND publication IS NOT NULL
      AND window_start = ${instant(dialect, window.start)} AND window_end = ${instant(dialect, window.end)}
    ORDER BY publication DESC LIMIT 1), 0)`;
}

/** Expression for the run published for the entry's window; null if there is none. */
export function publishedRun(dialect: Dialect, layout: TableLayout, { job, window }: LedgerEntry): string {
  return `(SELECT CASE WHEN state = 'superseded' THEN NULL ELSE run_id END FROM ${dialect.table(layout.name)}
    WHERE job = ${dialect.literal(job)} AND publication IS NOT NULL
      AND window_start = ${instant(dialect, window.start)} AND window_end = ${instant(dialect, window.end)}
    ORDER BY publication DESC LIMIT 1)`;
}

function valuesOf(dialect: Dialect, entry: LedgerEntry): Readonly<Record<string, string | undefined>> {
  const { literal } = dialect;
  const number = (value: number | undefined) => (value === undefined ? undefined : String(value));
  return {
    entry_number: `COALESCE(MAX(entries.${dialect.identifier('entry_number')}), 0) + 1`,
    recorded_at: literal(entry.recordedAt),
    run_id: literal(entry.runId),
    job: literal(entry.job),
    window_label: literal(entry.window.label),
    window_start: literal(entry.window.start),
    window_end: literal(entry.window.end),
    window_kind: literal(entry.window.kind),
    state: literal(entry.state),
    publication: number(entry.publication),
    fingerprint: literal(entry.fingerprint),
    model_name: literal(entry.model.name),
    model_version: literal(entry.model.version),
    model_digest: literal(entry.model.digest),
    rows_frozen: number(entry.rows?.frozen),
    rows_scored: number(entry.rows?.scored),
    rows_quarantined: number(entry.rows?.quarantined),
    host: literal(entry.host),
    details: literal(JSON.stringify(entry.details)),
  };
}
