import { existsSync } from 'node:fs';
import type { LedgerEntry, RunDetails, RunState } from '../../domain/ledger.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { WindowKind } from '../../domain/window.ts';
import type { Cell, Database, Values } from '../../duckdb/database.ts';
import { identifier, tableIdentifier } from '../../duckdb/sql.ts';
import type { Ledger, LedgerFilter } from '../warehouse.ts';
import { type DuckdbFile, withFile } from './file.ts';
import { createTable, inCatalog, tableExists } from './tables.ts';

export function duckdbLedger(warehouse: DuckdbFile, layout: TableLayout): Ledger {
  // What happened is written down even when a signal has just ended the run.
  const file = { ...warehouse, signal: new AbortController().signal };
  return {
    async entries(filter) {
      if (!existsSync(file.path)) return [];
      return await withFile(file, 'read', (database) => readEntries(database, inCatalog(database, layout), filter));
    },
    append: (entry) =>
      withFile(file, 'write', async (database) => {
        const table = inCatalog(database, layout);
        await createTable(database, table);
        await insertEntry(database, table, entry);
      }),
    // The file is open for writing meanwhile, and only one process can have it so.
    decide: (window, decide) =>
      withFile(file, 'write', async (database) => {
        const table = inCatalog(database, layout);
        await createTable(database, table);
        const { append, result } = await decide(await readEntries(database, table, window));
        if (append) await insertEntry(database, table, append);
        return result;
      }),
  };
}

/** Entries as they were written; DuckDB keeps the order of insertion in rowid. */
export async function readEntries(
  database: Database,
  layout: TableLayout,
  { job, state, window }: LedgerFilter,
): Promise<LedgerEntry[]> {
  if (!(await tableExists(database, layout.name))) return [];
  const conditions = [
    ...(job === undefined ? [] : ['job = $job']),
    ...(state === undefined ? [] : ['state = $state']),
    ...(window === undefined ? [] : ['window_start = CAST($start AS TIMESTAMPTZ) AND window_end = CAST($end AS TIMESTAMPTZ)']),
  ];
  const rows = await database.rows(
    `SELECT ${layout.columns.map(({ name, type }) => (type === 'timestamp' ? isoText(name) : identifier(name))).join(', ')}
     FROM ${tableIdentifier(layout.name)} ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''} ORDER BY rowid`,
    {
      ...(job !== undefined && { job }),
      ...(state !== undefined && { state }),
      ...(window && { start: window.start, end: window.end }),
    },
  );
  const position = new Map(layout.columns.map(({ name }, i) => [name, i]));
  return rows.map((row) => toEntry((name) => row[position.get(name) ?? -1] ?? null));
}

export async function insertEntry(database: Database, layout: TableLayout, entry: LedgerEntry): Promise<void> {
  const values: Values = {
    recorded_at: entry.recordedAt,
    run_id: entry.runId,
    job: entry.job,
    window_label: entry.window.label,
    window_start: entry.window.start,
    window_end: entry.window.end,
    window_kind: entry.window.kind,
    state: entry.state,
    publication: entry.publication ?? null,
    fingerprint: entry.fingerprint,
    model_name: entry.model.name,
    model_version: entry.model.version,
    model_digest: entry.model.digest,
    rows_frozen: entry.rows?.frozen ?? null,
    rows_scored: entry.rows?.scored ?? null,
    rows_quarantined: entry.rows?.quarantined ?? null,
    host: entry.host,
    details: JSON.stringify(entry.details),
  };
  const columns = layout.columns.map(({ name, type }) => ({
    name: identifier(name),
    value: type === 'timestamp' ? `CAST($${name} AS TIMESTAMPTZ)` : `$${name}`,
  }));
  await database.run(
    `INSERT INTO ${tableIdentifier(layout.name)} (${columns.map(({ name }) => name).join(', ')})
     VALUES (${columns.map(({ value }) => value).join(', ')})`,
    values,
  );
}

function toEntry(cell: (name: string) => Cell): LedgerEntry {
  const text = (name: string) => String(cell(name));
  const number = (name: string) => Number(cell(name));
  return {
    recordedAt: text('recorded_at'),
    runId: text('run_id'),
    job: text('job'),
    window: {
      label: text('window_label'),
      start: text('window_start'),
      end: text('window_end'),
      kind: text('window_kind') as WindowKind,
    },
    state: text('state') as RunState,
    fingerprint: text('fingerprint'),
    model: { name: text('model_name'), version: text('model_version'), digest: text('model_digest') },
    host: text('host'),
    details: JSON.parse(text('details')) as RunDetails,
    ...(cell('publication') !== null && { publication: number('publication') }),
    ...(cell('rows_frozen') !== null && {
      rows: { frozen: number('rows_frozen'), scored: number('rows_scored'), quarantined: number('rows_quarantined') },
    }),
  };
}

/** As JavaScript's toISOString writes it, so that instants can be compared as text. */
function isoText(name: string): string {
  return `strftime(${identifier(name)}, '%Y-%m-%dT%H:%M:%S.%gZ')`;
}
