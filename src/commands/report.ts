import { hostname } from 'node:os';
import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import { currentPublication, lastPublished, ledgerWindow, runsOf } from '../domain/ledger.ts';
import { isSameTable, showTableName } from '../domain/table-name.ts';
import { isRanked, tablesOf } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import { openWarehouses, reservedFiles, tableNames } from '../plan/warehouses.ts';
import { refuseForeign, reportFile } from '../report/place.ts';
import { refuseReserved } from '../report/reserved.ts';
import { writeReport } from '../report/write.ts';
import { namedJob } from './named-job.ts';
import { chooseWindow, type JobFlags, type WindowOptions } from './options.ts';

export interface ReportFlags extends JobFlags, WindowOptions {
  readonly force?: boolean;
}

/** Writes the window's report file again from what is published; scores nothing and needs neither source nor model. */
export async function reportCommand(flags: ReportFlags, context: Context): Promise<unknown> {
  const job = await namedJob(flags, context);
  const { definition } = job;
  const window = ledgerWindow(chooseWindow(flags, definition.time_zone, context));
  if (definition.report.csv === undefined) {
    throw new ScoreBatchError('configuration', `${definition.name} names no report file`, {
      hint: 'set report.csv in the job file',
    });
  }
  const tables = tablesOf(tableNames(definition), [], [], definition.score.column);
  const { source, sink } = await openWarehouses(job, context);
  await sink.reach();
  const ledger = sink.ledger(tables.ledger);
  const entries = await ledger.entries({ job: definition.name, window });
  const current = currentPublication(entries);
  const run = runsOf(entries).find(({ runId }) => runId === current?.runId);
  const supersededBy = lastPublished(entries)?.details.superseded_by;
  if (current === undefined && supersededBy !== undefined) {
    throw new ScoreBatchError('refused', `${window.label} is not published any more: run ${supersededBy.run_id} replaced it`, {
      hint: `write the report of its window: --from ${supersededBy.start} --to ${supersededBy.end}`,
    });
  }
  if (current === undefined || run?.details.columns === undefined) {
    throw new ScoreBatchError('refused', `nothing is published for ${window.label}`, {
      hint: 'run the job for this window first',
    });
  }
  context.subject.runId = run.runId;
  // The ledger is no authority on tables: anybody who may write there could have any table exported.
  if (!isSameTable(run.details.table, tables.scores.name)) {
    const recorded = Array.isArray(run.details.table) ? showTableName(run.details.table.map(String)) : 'no table';
    throw new ScoreBatchError(
      'configuration',
      `the ledger says that ${window.label} was published to ${recorded}, and this job publishes to ${showTableName(tables.scores.name)}`,
      {
        hint: 'if sink.table has changed since, run the window again to publish it there; if not, somebody changed the ledger',
      },
    );
  }
  if (!isRanked({ scores: { name: tables.scores.name, columns: run.details.columns } })) {
    throw new ScoreBatchError(
      'refused',
      `the scores of ${window.label} were published without ranks, and a report is in their order`,
      {
        hint: 'run the window again with sink.layout: wide, into another table',
      },
    );
  }
  const file = reportFile(definition.report.csv, window, job.root);
  const reserved = reservedFiles(job, { source, sink });
  await refuseReserved(file, reserved);
  if (flags.force !== true) await refuseForeign(file, job.root, entries);
  const scores = { name: tables.scores.name, columns: run.details.columns };
  const { runId, fingerprint, model, rows } = run;
  await writeReport(
    {
      sink: sink.sink,
      ledger,
      job: definition.name,
      runId,
      window,
      scores,
      rows: current.rows.scored,
      file,
      reserved,
      signal: context.signal,
    },
    () => ({
      recordedAt: new Date().toISOString(),
      runId,
      job: definition.name,
      window,
      state: 'completed',
      fingerprint,
      model,
      host: hostname(),
      details: { files: [file] },
      ...(rows && { rows }),
    }),
  );
  context.console.info(`wrote ${file}: ${counted(current.rows.scored, 'user')} of run ${runId}`);
  return { job: definition.name, window: window.label, run_id: runId, files: [file], rows: current.rows.scored };
}
