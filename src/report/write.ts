import path from 'node:path';
import { currentPublication, type LedgerEntry, type LedgerWindow } from '../domain/ledger.ts';
import { showTableName } from '../domain/table-name.ts';
import type { TableLayout } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Ledger, Sink } from '../warehouse/warehouse.ts';
import { reportColumns } from './columns.ts';
import { csvHeader, csvLine } from './csv.ts';
import { createPending, type PendingFile } from './file.ts';

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
  readonly signal: AbortSignal;
}

/** `reports/churn-{window}.csv` → the file of that window, absolute. */
export function reportFile(template: string, window: LedgerWindow, root: string): string {
  return path.resolve(root, template.replaceAll('{window}', window.label));
}

/**
 * Writes the report file from what is published and puts it in its place while its run is still the published one, so that
 * a slow run never puts an old file over a newer one.
 *
 * @param completed makes the ledger entry that is written with the rename
 * @throws ScoreBatchError `report` where the file cannot be written, `conflict` where another run published meanwhile
 */
export async function writeReport(spec: ReportSpec, completed: () => LedgerEntry): Promise<void> {
  const pending = await createPending(spec.file, spec.runId);
  try {
    const complete = await writeRows(pending, spec);
    await pending.finish();
    const current = await spec.ledger.decide({ job: spec.job, window: spec.window }, async (entries) => {
      if (currentPublication(entries)?.runId !== spec.runId) return { result: false };
      if (!complete) throw unranked(spec);
      await pending.rename();
      return { append: completed(), result: true };
    });
    if (!current) throw superseded(spec);
  } finally {
    await pending.discard();
  }
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

function unranked({ runId, rows, scores }: ReportSpec): ScoreBatchError {
  const table = showTableName(scores.name);
  return new ScoreBatchError('refused', `the rows of ${runId} in ${table} are not ranked from 1 to ${rows}`, {
    hint: 'somebody changed the table; run the window again to publish it anew',
  });
}

function superseded({ window, file }: ReportSpec): ScoreBatchError {
  return new ScoreBatchError('conflict', `another run published ${window.label} meanwhile, so ${file} was left as it is`, {
    hint: '`score-batch status` shows both runs; the later one writes the report',
  });
}
