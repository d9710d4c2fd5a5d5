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
  /** The scores table as published. */
  readonly scores: TableLayout;
  /** Number of scored users: ranks go from 1 to this. */
  readonly rows: number;
  /** Path of the report file. */
  readonly file: string;
  /** Files and folders that the report must not replace. Checked again just before the rename. */
  readonly reserved: readonly Reserved[];
  readonly signal: AbortSignal;
}

/** Attempts before giving up on a pending file that something keeps removing. */
const MAX_TRIES = 3;

/**
 * Writes the report file from the published rows. Puts it in place only if its run is still the published one, so a slow run
 * never replaces a newer file; see `PendingFile`.
 *
 * @param completed makes the ledger entry to append once the file is in place
 * @throws ScoreBatchError `report` if the file cannot be written, `conflict` if another run published meanwhile
 */
export async function writeReport(spec: ReportSpec, completed: () => LedgerEntry): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    // The pending file is gone, but the run is still published: another process removed it, so write it again.
    if ((await writeOnce(spec, completed)) === 'in place') return;
  }
  throw new ScoreBatchError('report', `the report ${spec.file} cannot be written: another process removes the temporary file`, {
    hint: 'the scores are published; find what removes files that begin with a dot there, then run `score-batch report`',
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
        // Another process of this run may have put the same report in place.
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

/** @returns whether every rank from 1 to `rows` exists exactly once */
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

/** Links may have changed since the plan. */
async function refuseTaken({ file, reserved }: ReportSpec): Promise<void> {
  const taken = await reservedAt(file, reserved);
  if (taken === undefined) return;
  throw new ScoreBatchError('report', `the report ${file} would overwrite ${taken.what}, ${taken.path}`, {
    hint: 'the scores are published; choose another path for report.csv and run `score-batch report` for the same window',
  });
}

function unranked({ runId, rows, scores }: ReportSpec): ScoreBatchError {
  const table = showTableName(scores.name);
  return new ScoreBatchError('refused', `the rows of ${runId} in ${table} are not ranked from 1 to ${rows}`, {
    hint: 'the table was changed after publication; run the window again to publish it again',
  });
}

function superseded({ window, file }: ReportSpec): ScoreBatchError {
  return new ScoreBatchError('conflict', `another run published ${window.label} meanwhile and will write ${file}`, {
    hint: '`score-batch status` shows both runs; the later one writes the report',
  });
}
