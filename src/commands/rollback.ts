import type { Context } from '../context.ts';
import { counted, grouped } from '../domain/counted.ts';
import { ledgerWindow } from '../domain/ledger.ts';
import { ScoreBatchError } from '../errors.ts';
import type { RollbackOutput } from '../json/changes.ts';
import { openWarehouses } from '../plan/warehouses.ts';
import { finishRollback, planRollback, type RollbackPlan, rollBack } from '../run/rollback.ts';
import type { ScoreChange } from '../warehouse/sql/replaced-change.ts';
import { localTime } from '../window/local-time.ts';
import { namedJob } from './named-job.ts';
import { chooseWindow, type JobFlags, type WindowOptions } from './options.ts';
import { publishedRunOf } from './published-run.ts';
import { cleanReason } from './reason.ts';

export interface RollbackFlags extends JobFlags, Omit<WindowOptions, 'to'> {
  /** Id of a run. */
  readonly to?: string;
  /** End of an ad hoc window. */
  readonly until?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly deliver?: boolean;
}

/** Makes an earlier publication of a window current again. Needs neither the query nor the model. */
export async function rollbackCommand(flags: RollbackFlags, context: Context): Promise<RollbackOutput> {
  const job = { ...(await namedJob(flags, context)), deliver: flags.deliver };
  const { definition } = job;
  const { to, until, ...window } = flags;
  refuseHalfRange(flags);
  // It is published, so it may still be open.
  const chosen = chooseWindow({ ...window, to: until, allowOpen: true }, definition, context);
  const { source, sink, ledger, files, stores, reachSink } = await openWarehouses(job, context);
  await reachSink();
  const force = flags.force === true;
  const warehouses = { source, sink, ledger, files, stores };
  const options = {
    ...warehouses,
    job,
    window: ledgerWindow(chosen),
    to,
    reason: cleanReason(flags.reason) || undefined,
    force,
  };
  const plan = await planRollback(options);
  const said = { window: chosen.label, job: definition.name, ...(plan && describe(plan)) };
  for (const line of plan ? show(plan, definition.time_zone) : []) context.console.info(line);
  if (flags.dryRun === true) {
    context.console.info('nothing was changed (--dry-run)');
    return { state: plan ? 'would roll back' : 'already current', ...said };
  }
  if (plan) await rollBack(options, plan);
  const entries = await ledger.entries({ job: definition.name, window: options.window });
  const run = publishedRunOf(entries, options.window);
  context.subject.runId = run.runId;
  const { signal } = context;
  const finish = { ...warehouses, job, window: options.window, run, entries, force, signal };
  let paths: readonly string[] = [];
  try {
    if (plan || run.state === 'published') paths = await finishRollback(finish, context);
  } finally {
    // The scores are rolled back even if a file cannot be written, so those who were notified of the others must be told.
    if (definition.delivery !== undefined) {
      const { deliver } = await import('../delivery/deliver.ts');
      await deliver({ job, window: options.window, sink, ledger, stores }, context);
    }
  }
  const state = plan ? ('rolled back' as const) : ('already current' as const);
  context.console.info(
    plan
      ? `${chosen.label} is rolled back: run ${run.runId} is now its publication ${numberOf(entries)}`
      : `run ${run.runId} is already current`,
  );
  for (const file of paths) context.console.info(`wrote ${file}`);
  if (plan && definition.sink.history > 0) context.console.info(`to see what changed, run: ${compareCommand(plan, flags)}`);
  return {
    state,
    run_id: run.runId,
    publication: numberOf(entries),
    ...said,
    files: paths,
  };
}

/** The command that compares the rolled-back scores with those published now. */
function compareCommand({ from, to }: RollbackPlan, { job }: RollbackFlags): string {
  return `score-batch compare ${job === undefined ? '' : `--job ${job} `}${to.run.runId} ${from.runId}`;
}

/** In this command, `--to` names a run. @throws ScoreBatchError `usage` unless the flags select exactly one window */
function refuseHalfRange({ week, date, hour, from, until }: RollbackFlags): void {
  const named = [week, date, hour].some((flag) => flag !== undefined);
  if (named || (from !== undefined && until !== undefined)) return;
  const what = from === undefined && until === undefined ? 'no window given' : '--from and --until must be given together';
  throw new ScoreBatchError('usage', what, {
    hint: 'choose one of --week, --date, --hour, or --from with --until; --to names a run to go back to',
  });
}

function numberOf(entries: readonly { readonly publication?: number }[]): number {
  return Math.max(0, ...entries.map(({ publication = 0 }) => publication));
}

function describe({ from, fromEntry, to, change }: RollbackPlan) {
  return {
    from: { run_id: from.runId, publication: from.number, rows: from.rows, model: modelOf(fromEntry) },
    to: { run_id: to.run.runId, publication: to.number, rows: to.run.rows ?? null, model: modelOf(to.run) },
    change: {
      users_in_both: change.both,
      users_only_now: change.onlyNow,
      users_only_then: change.onlyThen,
      other_scores: change.differ,
      mean_score_now: mean(change.sumNow, change.both + change.onlyNow),
      mean_score_then: mean(change.sumThen, change.both + change.onlyThen),
    },
  };
}

function show({ from, fromEntry, to, change }: RollbackPlan, zone: string): string[] {
  const { run } = to;
  return [
    `from ${showSide(from.runId, from.number, fromEntry, zone)}: ${showRows(from.rows)}`,
    `to   ${showSide(run.runId, to.number, { recordedAt: to.publishedAt, model: run.model }, zone)}: ${showRows(run.rows)}`,
    showChange(change),
  ];
}

function showSide(
  runId: string,
  number: number,
  { recordedAt, model }: Pick<RollbackPlan['fromEntry'], 'recordedAt' | 'model'>,
  zone: string,
): string {
  return `publication ${number}, run ${runId}, ${localTime(recordedAt, zone)}, model ${modelOf({ model })}`;
}

function showRows(rows: { readonly scored: number; readonly quarantined: number } | undefined): string {
  return `${counted(rows?.scored ?? 0, 'score')}, ${grouped(rows?.quarantined ?? 0)} quarantined`;
}

function showChange({ both, onlyNow, onlyThen, differ, sumNow, sumThen }: ScoreChange): string {
  if (differ + onlyThen + onlyNow === 0 && both > 0)
    return `both publications have the same scores: no user gets a different one; mean score ${mean(sumNow, both)?.toFixed(4)}`;
  const means = [mean(sumNow, both + onlyNow), mean(sumThen, both + onlyThen)].map((value) => value?.toFixed(4) ?? 'none');
  return `${counted(differ, 'user')} of ${grouped(both)} will get a different score, ${grouped(onlyThen)} will come back, ${grouped(onlyNow)} will disappear; mean score ${means.join(' → ')}`;
}

function modelOf({ model }: { readonly model: { readonly name: string; readonly version: string } }): string {
  return `${model.name} ${model.version}`;
}

function mean(sum: number, users: number): number | null {
  return users === 0 ? null : Math.round((sum / users) * 1e9) / 1e9;
}
