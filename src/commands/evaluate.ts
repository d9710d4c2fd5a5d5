import path from 'node:path';
import type { Context } from '../context.ts';
import { ledgerWindow, type Run } from '../domain/ledger.ts';
import { showTableName } from '../domain/table-name.ts';
import type { Job } from '../job/load.ts';
import type { EvaluateOutput } from '../json/evaluate.ts';
import { loadBundle } from '../model/bundle.ts';
import { openWarehouses } from '../plan/warehouses.ts';
import { evaluateRun } from '../run/evaluate.ts';
import { noLabels } from '../run/outcome-query.ts';
import { showEvaluation } from './evaluation-summary.ts';
import { namedJob } from './named-job.ts';
import { chooseWindow, type JobFlags, type WindowOptions } from './options.ts';
import { publishedRunOf } from './published-run.ts';

export interface EvaluateFlags extends JobFlags, WindowOptions {}

/** Compares a window's published scores with the outcomes. Needs the source, but no model. */
export async function evaluateCommand(flags: EvaluateFlags, context: Context): Promise<{ data: EvaluateOutput; text: string }> {
  const job = await namedJob(flags, context);
  const { definition } = job;
  const window = chooseWindow(flags, definition, context);
  if (job.labels === undefined) throw noLabels(job);
  const { source, sink, ledger, reachSink } = await openWarehouses(job, context);
  await reachSink();
  const run = publishedRunOf(await ledger.entries({ job: definition.name, window: ledgerWindow(window) }), window);
  context.subject.runId = run.runId;
  const { evaluation, rows } = await evaluateRun({
    ...{ job, source, sink, run, now: context.now, signal: context.signal },
    trainedThrough: await trainedThrough(job, run),
  });
  for (const warning of evaluation.warnings) context.console.warn(warning);
  const { table, ...facts } = evaluation;
  const data = { job: definition.name, window: window.label, run_id: run.runId, ...facts, table: showTableName(table) };
  return { data, text: showEvaluation({ job: definition.name, window, runId: run.runId, evaluation, rows }) };
}

/** As recorded at publication, otherwise from the bundle, if it still has the same model. */
async function trainedThrough({ root, definition }: Job, run: Run): Promise<string | undefined> {
  if (run.details.trained_through !== undefined) return run.details.trained_through;
  const bundle = await loadBundle(path.resolve(root, definition.model)).catch(() => undefined);
  const through = bundle?.digest === run.model.digest ? bundle.definition.trained?.through : undefined;
  return through === undefined ? undefined : String(through);
}
