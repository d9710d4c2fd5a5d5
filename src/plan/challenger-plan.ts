import type { Context } from '../context.ts';
import { challengerJob } from '../domain/challenger.ts';
import { suffixed, type TableName } from '../domain/table-name.ts';
import { type TableNames, tablesOf } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import { readBaseline } from '../explain/baseline.ts';
import { fingerprintOf } from '../job/fingerprint.ts';
import type { Job } from '../job/load.ts';
import type { Bundle } from '../model/bundle.ts';
import { sizeRun } from '../sizing/run-sizing.ts';
import { tryModel } from './canary.ts';
import { type Challenger, renamesOf } from './challenger.ts';
import { checkDraft, phasesOf, refuseMissingReference } from './checks.ts';
import { refuseUnmeasured } from './feature-drift.ts';
import type { Plan } from './plan.ts';
import { publishedBefore } from './publications.ts';
import { challengerTable } from './warehouses.ts';

/** The challenger's own tables. @param scores see `challengerTable` */
export function challengerNames(scores: TableName): Pick<TableNames, 'scores' | 'quarantine'> {
  return { scores, quarantine: suffixed(scores, '_quarantine') };
}

/**
 * The plan of a challenger's run on the champion's frozen rows: a run's steps do not know which of the two they work on. It has
 * no report, reasons or labels, and its own tables. It cannot score yet, see `readyToScore`.
 *
 * @throws ScoreBatchError the challenger's problem, if it has one
 */
export function challengerPlan(champion: Plan, challenger: Challenger, { environment }: Context): Plan {
  const { bundle, features, problem } = challenger;
  if (problem !== undefined || bundle === undefined) throw problem ?? new Error('a challenger without a bundle has no problem');
  const job = challengerOf(champion.job, challenger.model, bundle);
  const { definition } = job;
  const table = challengerTable(champion.job.definition);
  if (table === undefined) throw new Error('a job without a challenger has no plan of one');
  const columns = { key: champion.key, keep: champion.keep };
  const own = [...champion.key, ...champion.keep, ...features];
  const needed = own.filter(({ name }, i) => own.findIndex((other) => other.name.toLowerCase() === name.toLowerCase()) === i);
  return {
    ...champion,
    ...{ job, bundle, features, needed, execution: undefined },
    fingerprint: fingerprintOf({
      ...{ query: champion.query, source: champion.identity, columns: needed, bundle },
      definition: { ...definition, score: { ...definition.score, require_gpu: champion.requireGpu } },
      hashKey: definition.sink.quarantine_values === 'hash' ? environment.SCORE_BATCH_HASH_KEY : undefined,
      asOf: champion.asOf && { run_id: champion.asOf.frozen.runId, frozen: champion.asOf.frozen.id },
    }),
    tables: tablesOf(
      {
        ...challengerNames(table),
        ledger: champion.tables.ledger.name,
        report: undefined,
        summary: undefined,
      },
      { ...columns, scoreColumn: definition.score.column, layout: definition.sink.layout },
    ),
    ...{ baseline: undefined, tap: undefined, drift: undefined, challenger: undefined, slice: undefined },
    ...{ reported: false, reportFiles: [], entries: [], overlaps: [], last: undefined, modelChanged: undefined },
  };
}

/**
 * Adds the execution provider of the challenger's model, and what it has published, to the plan. Checks all that a run of the
 * challenger as champion would need, so that a promotion meets no surprise.
 *
 * @throws ScoreBatchError `configuration` if no provider runs the model, a table has other columns or belongs to another job,
 * or the job sets a limit for which the bundle has no reference
 */
export async function readyToScore(plan: Plan, champion: Job, context: Context): Promise<Plan> {
  const { job, bundle, window, source, sink, kinds, tables, requireGpu, ledger } = plan;
  const { definition } = job;
  refuseMissingReference(champion, bundle);
  refuseUnmeasured(champion, bundle);
  if (champion.definition.score.reasons !== undefined) await readBaseline(bundle);
  const { execution } = await tryModel(bundle, definition.score, requireGpu);
  const sizing = sizeRun(definition, bundle, {
    ...{ execution, kinds, workers: plan.sizing.requestedWorkers, maxMemory: context.maxMemory },
  });
  const { console } = context;
  await checkDraft({ job, window, source, sink, kinds, tables, estimatedBytes: undefined, console }, phasesOf('publish'));
  const { name, version } = bundle.definition;
  const model = { name, version, digest: bundle.digest };
  // The champion is published for this window, so whatever its challengers published for overlapping ones must give way.
  const before = await publishedBefore(ledger, { definition, window, model, replaceOverlapping: true, checkGates: true });
  return { ...plan, execution, sizing, ...before };
}

/** The job definition of the challenger's runs. */
function challengerOf(job: Job, model: string, bundle: Bundle): Job {
  const { challenger: _challenger, labels: _labels, ...definition } = job.definition;
  const { reasons: _reasons, ...score } = definition.score;
  const { min_auc: _auc, max_calibration_error: _error, ...gates } = definition.gates;
  const { csv_bom, min_cell, nouns } = definition.report;
  return {
    ...job,
    labels: undefined,
    located: job.located?.challenger && { model: job.located.challenger },
    definition: {
      ...definition,
      name: challengerJob(definition.name),
      ...{ model, score, gates },
      features: renamesOf(definition.features, bundle, undefined),
      report: { segments: [], page_keys: false, csv_bom, min_cell, nouns },
    },
  };
}

/** @throws ScoreBatchError `conflict` if a column that the challenger needs is not frozen */
export function refuseUnfrozen({ needed, window }: Plan, frozen: readonly { readonly name: string }[]): void {
  const names = new Set(frozen.map(({ name }) => name.toLowerCase()));
  const missing = needed.filter(({ name }) => !names.has(name.toLowerCase())).map(({ name }) => name);
  if (missing.length === 0) return;
  throw new ScoreBatchError(
    'conflict',
    `the rows of ${window.label} were frozen without ${missing.join(', ')}, which only the challenger needs`,
    { hint: 'the challenger was added to the job file during this run; wait for the next window, which freezes its columns' },
  );
}
