import { tableDiscrepancies } from '../domain/held.ts';
import { ledgerWindow, type Run, runsOf } from '../domain/ledger.ts';
import { currentEntries, windowKey } from '../domain/publications.ts';
import { isSameTable } from '../domain/table-name.ts';
import { tablesByName } from '../domain/tables.ts';
import type { Window } from '../domain/window.ts';
import type { JobDefinition } from '../job/schema.ts';
import { tableNames, type Warehouses } from '../plan/warehouses.ts';

/** A window of a backfill, and its state in the warehouse. */
export interface WindowState {
  readonly window: Window;
  /** The run whose publication is current; undefined without one. */
  readonly published: Run | undefined;
  /** Why the window must run; undefined if it need not. */
  readonly todo: 'not published' | 'tables differ' | 'not complete' | undefined;
}

/**
 * Compares the windows with the ledger and the tables. A window is missing if it has no current publication, the tables do not hold what
 * was published, or a report file was never written.
 */
export async function findMissing(
  windows: readonly Window[],
  definition: JobDefinition,
  { sink, ledger, readTogether }: Pick<Warehouses, 'sink' | 'ledger' | 'readTogether'>,
): Promise<WindowState[]> {
  await using _reading = readTogether();
  const tables = tablesByName(tableNames(definition), definition.score.column, definition.sink.layout);
  const entries = await ledger.entries({ job: definition.name });
  const runs = new Map(runsOf(entries).map((run) => [run.runId, run]));
  const current = new Map(currentEntries(entries).map((entry) => [windowKey(entry.window), runs.get(entry.runId)]));
  const states = windows.map((window) => ({ window, published: current.get(windowKey(ledgerWindow(window))) }));
  const published = states.flatMap((state) => state.published ?? []);
  const held = await sink.held(
    tables,
    definition.name,
    published.map(({ window }) => window),
  );
  const todo = (run: Run | undefined): WindowState['todo'] => {
    if (run === undefined) return 'not published';
    if (!isSameTable(run.details.table, tables.scores.name) || tableDiscrepancies(run, held, tables).length > 0)
      return 'tables differ';
    return run.state === 'published' ? 'not complete' : undefined;
  };
  return states.map((state) => ({ ...state, todo: todo(state.published) }));
}
