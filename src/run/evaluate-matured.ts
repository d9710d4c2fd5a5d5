import { counted } from '../domain/counted.ts';
import { showAuc } from '../domain/evaluation.ts';
import { checkEvaluation, type EvaluatedWindow } from '../domain/evaluation-gates.ts';
import { type LedgerWindow, type Run, runsOf } from '../domain/ledger.ts';
import { currentEntries } from '../domain/publications.ts';
import type { WindowKind } from '../domain/window.ts';
import { Interrupted, ScoreBatchError } from '../errors.ts';
import { evaluateRun } from './evaluate.ts';
import type { ActiveRun } from './progress.ts';

/** Most windows that a run evaluates. */
const MAX_WINDOWS = 12;
const HOUR = 3_600_000;
/** Longest duration of a window, including a clock change. */
const LONGEST: Readonly<Record<Exclude<WindowKind, 'ad hoc'>, number>> = { hour: 2 * HOUR, day: 25 * HOUR, week: 169 * HOUR };

/**
 * Evaluates the job's newest windows whose outcomes are known by now and whose current publication is not evaluated. A window
 * that cannot be evaluated is only a warning: it must not keep the run from publishing.
 *
 * @returns the verdicts of the evaluation gates
 */
export async function evaluateMatured(active: ActiveRun): Promise<ReturnType<typeof checkEvaluation>> {
  const { plan, context } = active;
  const evaluated: EvaluatedWindow[] = [];
  const warnings: string[] = [];
  for (const run of await maturedRuns(active)) {
    const evaluation = run.details.evaluation ?? (await tryToEvaluate(active, run, warnings));
    if (evaluation !== undefined) evaluated.push({ label: run.window.label, evaluation });
  }
  const newest = evaluated.findLast(({ evaluation }) => evaluation.in_sample !== true);
  const verdict = checkEvaluation(plan.job.definition.gates, newest);
  for (const warning of [...warnings, ...verdict.warnings]) context.console.warn(warning);
  return { ...verdict, warnings: [...warnings, ...verdict.warnings] };
}

/** The published runs of the newest windows of the job's grain with known outcomes, oldest first. */
async function maturedRuns({ plan, context }: ActiveRun): Promise<Run[]> {
  const { name: job, every, labels } = plan.job.definition;
  const known = context.now - (labels?.after ?? 0) * 24 * HOUR + HOUR;
  const since: LedgerWindow = {
    label: '',
    start: new Date(known - (MAX_WINDOWS + 1) * LONGEST[every]).toISOString(),
    end: new Date(known).toISOString(),
    kind: 'ad hoc',
  };
  const entries = await plan.ledger.entries({ job, near: since });
  const runs = new Map(runsOf(entries).map((run) => [run.runId, run]));
  return currentEntries(entries)
    .filter(({ window, rows }) => window.kind === every && Date.parse(window.end) <= known && rows.scored > 0)
    .sort((a, b) => (a.window.start < b.window.start ? -1 : 1))
    .slice(-MAX_WINDOWS)
    .flatMap(({ runId }) => runs.get(runId) ?? []);
}

async function tryToEvaluate({ plan, context }: ActiveRun, run: Run, warnings: string[]) {
  const { bundle, job, source, sink } = plan;
  const { label } = run.window;
  const own = bundle.digest === run.model.digest ? bundle.definition.trained?.through : undefined;
  try {
    const { evaluation } = await evaluateRun({
      ...{ job, source, sink, run, now: context.now, signal: context.signal },
      trainedThrough: run.details.trained_through ?? (own === undefined ? undefined : String(own)),
    });
    context.console.info(`evaluated ${label}: ${showAuc(evaluation)}, ${counted(evaluation.users, 'user')}`);
    for (const warning of evaluation.warnings) context.console.warn(`evaluation of ${label}: ${warning}`);
    return evaluation;
  } catch (error) {
    if (error instanceof Interrupted || context.signal.aborted) throw error;
    const message = error instanceof Error ? error.message : String(error);
    // Late outcomes deserve no warning: the next run evaluates them.
    if (error instanceof ScoreBatchError && error.kind === 'unavailable')
      context.console.info(`${label} was not evaluated: ${message}`);
    else warnings.push(`${label} was not evaluated: ${message}`);
    return undefined;
  }
}
