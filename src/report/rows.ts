import { grouped } from '../domain/counted.ts';
import { MOST_SHEET_USERS } from '../domain/report-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import { reportColumns } from './columns.ts';
import type { Draft } from './draft.ts';
import { unwritable } from './file.ts';
import { csvWriter, type LineWriter } from './line-writer.ts';
import type { ReportFile } from './place.ts';
import type { ReportSpec } from './spec.ts';

/**
 * Writes the files with one row per user, reading the published rows once.
 *
 * @param pending per file; other files are ignored
 * @returns whether every rank from 1 to `rows` exists exactly once; if not, the files are incomplete
 */
export async function writeRows(
  spec: ReportSpec,
  pending: ReadonlyMap<ReportFile, Pick<Draft, 'path' | 'write'>>,
): Promise<boolean> {
  const { sink, job, runId, window, scores, rows, signal } = spec;
  const columns = reportColumns(scores.columns);
  const writers: LineWriter[] = [];
  for (const [{ kind, path: file }, one] of pending) {
    if (kind === 'csv') writers.push(csvWriter(one, columns, { bom: spec.csvBom }));
    if (kind === 'xlsx') writers.push((await import('./xlsx.ts')).xlsxWriter(one, { file, columns, rows }));
  }
  const [file, one] = [...pending].find(([{ kind }]) => kind === 'parquet') ?? [];
  const parquet = file &&
    one && { path: one.path, columns, failed: (reason: string, cause: unknown) => unwritable(file.path, reason, cause) };
  if (writers.length === 0 && parquet === undefined) return true;
  const lines = writers.map(({ line }) => line);
  try {
    for (const writer of writers) await writer.begin();
    for await (const range of sink.published({ job, runId, window, table: scores, lines, parquet, rows })) {
      signal.throwIfAborted();
      if (!range.complete) return false;
      for (const [i, writer] of writers.entries()) await writer.write(range.lines[i] ?? new Uint8Array());
    }
    for (const writer of writers) await writer.end();
  } finally {
    for (const writer of writers) await writer.stop();
  }
  return true;
}

/** @throws ScoreBatchError `report` if a workbook cannot hold all users */
export function refuseLargeSheet({ files, rows }: Pick<ReportSpec, 'files' | 'rows'>): void {
  const file = files.find(({ kind }) => kind === 'xlsx');
  if (file === undefined || rows <= MOST_SHEET_USERS) return;
  throw new ScoreBatchError(
    'report',
    `the report ${file.path} cannot hold ${grouped(rows)} users: a sheet has at most ${grouped(MOST_SHEET_USERS)} rows below its header`,
    {
      hint: 'the scores are published; use report.csv or report.parquet in place of report.xlsx, and run `score-batch report` for the same window',
    },
  );
}
