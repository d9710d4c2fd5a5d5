import { currentPublication, type LedgerEntry, type LedgerWindow, type Publication } from '../domain/ledger.ts';
import { showTableName } from '../domain/table-name.ts';
import type { TableLayout } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Ledger, Sink } from '../warehouse/warehouse.ts';
import { reportColumns } from './columns.ts';
import { csvHeader, csvLine } from './csv.ts';
import { createPending, type PendingFile } from './file.ts';
import { type Reserved, reservedAt } from './reserved.ts';

export interface ReportSpec {
  readonly sink: Sink;
  readonly ledger: Ledger;
  readonly job: string;
  readonly runId: string;
  readonly window: LedgerWindow;
  /** The scores table as it was published. */
  readonly scores: TableLayout;
  /** Scored users: ranks go from 1 to this. */
  readonly rows: number;
  /** Path of the report file. */
  readonly file: string;
  /** What the file must never replace; looked at once more just before it takes its place. */
  readonly reserved: readonly Reserved[];
  readonly signal: AbortSignal;
}

/** How often the file is written before it is called a fault that what is pending goes away. */
const MAX_TRIES = 3;

/**
 * Writes the report file from what is published and puts it in its place while its run is the published one, so that a slow
 * run never puts an old file over a newer one; see `PendingFile`.
 *
 * @param completed makes the ledger entry that is written once the file is in its place
 * @throws ScoreBatchError `report` where the file cannot be written, `conflict` where another run published meanwhile
 */
export async function writeReport(spec: ReportSpec, completed: () => LedgerEntry): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    // Gone and still the published one: somebody else removed it, and it is written again.
    if ((await writeOnce(spec, completed)) === 'in place') return;
  }
  throw new ScoreBatchError('report', `the report ${spec.file} cannot be written: what is written beside it is removed`, {
    hint: 'the scores are published; see what removes files that begin with a dot there, then run `score-batch report`',
  });
}

async function writeOnce(spec: ReportSpec, completed: () => LedgerEntry): Promise<'in place' | 'gone'> {
  const { ledger, job, window, file, runId } = spec;
  const mine = (entries: readonly LedgerEntry[]): Publication => {
    const current = currentPublication(entries);
    if (current?.runId !== runId) throw superseded(spec);
    return current;
  };
  const before = await ledger.entries({ job, window });
  const pending = await createPending(file, mine(before));
  try {
    const complete = await writeRows(pending, spec);
    await pending.finish();
    const outcome = await ledger.decide<'in place' | 'gone'>({ job, window }, async (entries) => {
      mine(entries);
      if (!complete) throw unranked(spec);
      await refuseTaken(spec);
      if (!(await pending.replace())) {
        // Another process of the run may have put the same report in place.
        return { result: completions(entries, runId) > completions(before, runId) ? 'in place' : 'gone' };
      }
      return { append: completed(), result: 'in place' };
    });
    if (outcome === 'in place') await pending.removeOthers();
    return outcome;
  } finally {
    await pending.discard();
  }
}

function completions(entries: readonly LedgerEntry[], id: string): number {
  return entries.filter(({ runId, state }) => runId === id && state === 'completed').length;
}

/** @returns whether every rank from 1 to the number of rows was there exactly once */
async function writeRows(
  pending: PendingFile,
  { sink, job, runId, window, scores, rows, signal }: ReportSpec,
): Promise<boolean> {
  const columns = reportColumns(scores.columns);
  await pending.write(csvHeader(columns));
  for await (const range of sink.published({ job, runId, window, table: scores, line: csvLine(columns), rows })) {
    signal.throwIfAborted();
    if (!range.complete) return false;
    await pending.write(range.lines);
  }
  return true;
}

/** Links may have changed since the plan was made. */
async function refuseTaken({ file, reserved }: ReportSpec): Promise<void> {
  const taken = await reservedAt(file, reserved);
  if (taken === undefined) return;
  throw new ScoreBatchError('report', `the report ${file} would take the place of ${taken.what}, ${taken.path}`, {
    hint: 'the scores are published; choose another path for report.csv and run `score-batch report` for the same window',
  });
}

function unranked({ runId, rows, scores }: ReportSpec): ScoreBatchError {
  const table = showTableName(scores.name);
  return new ScoreBatchError('refused', `the rows of ${runId} in ${table} are not ranked from 1 to ${rows}`, {
    hint: 'somebody changed the table; run the window again to publish it anew',
  });
}

function superseded({ window, file }: ReportSpec): ScoreBatchError {
  return new ScoreBatchError('conflict', `another run published ${window.label} meanwhile, and ${file} is for it to write`, {
    hint: '`score-batch status` shows both runs; the later one writes the report',
  });
}
