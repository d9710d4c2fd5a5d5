import { boundaryLayout } from '../domain/current-table.ts';
import type { PersonTable } from '../domain/erasure.ts';
import { type LedgerEntry, ledgerWindow } from '../domain/ledger.ts';
import { incrementalJob } from '../domain/slice.ts';
import { showTableName, suffixed } from '../domain/table-name.ts';
import { ledgerLayout, type TableColumn, type TableLayout, tablesOf } from '../domain/tables.ts';
import type { Job } from '../job/load.ts';
import { tableNames, type Warehouses } from '../plan/warehouses.ts';
import { sliceWindow } from '../slice/slice-job.ts';
import { countEntries } from '../warehouse/sql/erase.ts';

/** What the ledger knows about a job's slices. */
export interface KnownSlices {
  /** Number of entries when they were read, or fewer. */
  readonly seen: number;
  /** The newest publication and later entries: enough to know what may still publish. */
  readonly newest: readonly LedgerEntry[];
  /** Every current table that slices have published to, even if the job file no longer names it. */
  readonly tables: readonly TableLayout[];
}

/** Works whether or not the job file still has the section `incremental`. */
export async function knownSlices(job: Job, { sink, ledger }: Pick<Warehouses, 'sink' | 'ledger'>): Promise<KnownSlices> {
  const slices = incrementalJob(job.definition.name);
  // Count first, so that an entry written meanwhile makes the erasure start again.
  const seen = await sink.read(async ({ dialect, find, rows }) => {
    const table = await find(ledgerLayout(tableNames(job.definition).ledger));
    if (table === undefined) return 0;
    const count = dialect.text(countEntries(dialect, { ledger: table, jobs: [slices] }), { type: 'integer' });
    const [[text] = []] = await rows(`SELECT ${count} AS entry_count`);
    return Number(text);
  });
  if (seen === 0) return { seen, newest: [], tables: [] };
  const newest = await ledger.entries({ job: slices, window: ledgerWindow(sliceWindow(job)) });
  const tables = new Map<string, TableLayout>();
  for (const { details } of await ledger.entries({ job: slices, states: ['published'] })) {
    const { table: name, columns } = details;
    if (name && columns) tables.set(showTableName(name), { name, columns });
  }
  return { seen, newest, tables: [...tables.values()] };
}

/** Each current table, its copies at the ends of windows, and its quarantine. @param key columns of the key */
export function tablesOfSlices(
  job: string,
  { tables }: Pick<KnownSlices, 'tables'>,
  key: readonly TableColumn[],
): readonly PersonTable[] {
  const own = { key: key.map((column) => ({ ...column, native: '' })), keep: [], scoreColumn: 'score' };
  const slices = { job: incrementalJob(job), replaced: false };
  return tables.flatMap((layout) => {
    const names = { scores: layout.name, quarantine: suffixed(layout.name, '_quarantine'), ledger: layout.name };
    const { quarantine } = tablesOf({ ...names, report: undefined, summary: undefined }, own);
    return [
      { ...slices, part: 'current' as const, layout },
      { ...slices, part: 'boundary' as const, layout: boundaryLayout(layout.name, own) },
      { ...slices, part: 'quarantine' as const, layout: quarantine },
    ];
  });
}
