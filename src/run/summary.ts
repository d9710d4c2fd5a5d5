import { counted, grouped } from '../domain/counted.ts';
import { type Execution, showServing } from '../domain/execution.ts';
import { type ModelChange, showModelChange } from '../domain/model-change.ts';
import { percent } from '../domain/percents.ts';
import { type RecordedFeature, worstFeatures } from '../domain/recorded-drift.ts';
import type { RunRows } from '../domain/rows.ts';
import type { Acceptance, RunDetails, SupersededWindow } from '../domain/run-details.ts';
import { bottleneck, type Rates, ratesOf } from '../domain/speed.ts';
import { type StageSeconds, showSeconds } from '../domain/stages.ts';
import { showTableName } from '../domain/table-name.ts';
import type { Window, WindowKind } from '../domain/window.ts';
import { NO_WORKER_TIME, showWorkerTime, type WorkerTime } from '../domain/worker-time.ts';
import { localRange } from '../window/local-time.ts';
import type { ChallengerSummary } from './challenge.ts';
import type { ActiveRun } from './progress.ts';

export interface WindowSummary {
  readonly label: string;
  readonly start: string;
  readonly end: string;
  readonly kind: WindowKind;
  readonly zone: string;
}

/** The result of a run; the object that `--json` prints. */
export interface RunSummary {
  readonly job: string;
  readonly window: WindowSummary;
  readonly run_id: string;
  /** `already published` if another process or an earlier run has published the window. */
  readonly state: 'published' | 'already published';
  readonly rows: RunRows | undefined;
  readonly chunks: number | undefined;
  readonly chunks_resumed: number | undefined;
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
  readonly providers: Readonly<Record<string, number>>;
  /** Null if other processes did the scoring, or nothing was left to score. */
  readonly execution: Execution | null;
  /** Rows per batch after halving, if larger batches did not fit the device's memory. */
  readonly batch_rows_halved_to: number | null;
  readonly score_psi: number | null;
  /** PSI against the previous window, if the same model scored it. */
  readonly score_psi_previous: number | null;
  /** The features that drifted most, at most three; empty if their drift was not measured. */
  readonly feature_drift: readonly RecordedFeature[];
  /** The model of the previous publication, if different. */
  readonly model_changed: ModelChange | null;
  /** Publications of overlapping windows that this one supersedes. */
  readonly supersedes_windows: readonly SupersededWindow[];
  /** Set if gates refused the run, and somebody accepted it. */
  readonly accepted: Acceptance | null;
  /** Outcome of the challenger; null if the job has none, or an earlier process handled it. */
  readonly challenger: ChallengerSummary | null;
  readonly quarantined: readonly { readonly reason: string; readonly column: string | null; readonly rows: number }[];
  readonly tables: readonly string[];
  readonly files: readonly string[];
  /** Wall-clock seconds per stage, summed over the consecutive processes of the run. */
  readonly seconds: StageSeconds | undefined;
  readonly workers: WorkerTime | undefined;
  readonly rows_per_second: Rates | undefined;
  readonly bottleneck: string | undefined;
  readonly warnings: readonly string[];
}

export function summarize(
  { plan, progress }: ActiveRun,
  state: RunSummary['state'],
  challenger: ChallengerSummary | null = null,
): RunSummary {
  const { runId, rows } = progress;
  const details: RunDetails = { ...progress.details, seconds: progress.clock.seconds };
  const { window, bundle, tables, reported } = plan;
  const published = [
    tables.scores,
    tables.quarantine,
    ...(reported ? [tables.report, tables.summary, tables.drift] : []),
    tables.ledger,
  ];
  return {
    job: plan.job.definition.name,
    window: showWindow(window),
    run_id: runId,
    state,
    rows,
    chunks: details.chunks,
    chunks_resumed: details.chunks_resumed,
    model: { name: bundle.definition.name, version: bundle.definition.version, digest: bundle.digest },
    providers: details.providers ?? {},
    execution: details.execution ?? null,
    batch_rows_halved_to: details.batch_rows_halved_to ?? null,
    score_psi: details.score_psi ?? null,
    score_psi_previous: details.score_psi_previous ?? null,
    feature_drift: worstFeatures(details.feature_drift),
    model_changed: details.model_changed ?? null,
    supersedes_windows: details.supersedes_windows ?? [],
    accepted: details.accepted ?? null,
    challenger,
    quarantined: (details.rejections ?? []).map(({ reason, columnName, rows: count }) => ({
      reason,
      column: columnName ?? null,
      rows: count,
    })),
    tables: published.flatMap((table) => (table === undefined ? [] : showTableName(table.name))),
    files: details.files ?? [],
    // The ledger has an earlier process's times; this process did nothing.
    ...(state === 'published' && details.seconds ? speedOf(rows, details.seconds, details.workers) : NO_SPEED),
    warnings: details.warnings ?? [],
  };
}

const NO_SPEED = { seconds: undefined, workers: undefined, rows_per_second: undefined, bottleneck: undefined };

function speedOf(rows: RunRows | undefined, seconds: StageSeconds, workers: WorkerTime | undefined) {
  const time = workers ?? NO_WORKER_TIME;
  const rows_per_second = ratesOf(rows?.frozen ?? 0, seconds, time);
  return { seconds, workers, rows_per_second, bottleneck: bottleneck(seconds, time) };
}

export function showWindow({ label, start, end, kind, zone }: Window): WindowSummary {
  return { label, start: start.toISOString(), end: end.toISOString(), kind, zone };
}

/** The summary as text for people. */
export function showSummary(summary: RunSummary): string {
  const { rows, seconds, model, window } = summary;
  const lines = [
    `${summary.state} ${summary.job} ${window.label} (${localRange(window, window.zone)}, ${window.zone}), run ${summary.run_id}`,
    `  model       ${model.name} ${model.version}, sha256 ${model.digest.slice(0, 12)}…, on ${showProviders(summary.providers)}`,
  ];
  if (summary.model_changed) lines.push(`              changed ${showModelChange(summary.model_changed)}`);
  if (summary.execution) lines.push(`  provider    ${showServing(summary.execution).join('\n              ')}`);
  if (summary.batch_rows_halved_to !== null)
    lines.push(`              ran out of memory: batches were reduced to ${counted(summary.batch_rows_halved_to, 'row')}`);
  if (rows) {
    lines.push(
      `  rows        ${grouped(rows.frozen)} frozen = ${grouped(rows.scored)} scored + ${grouped(rows.quarantined)} quarantined`,
    );
  }
  for (const { reason, column, rows: rejected } of summary.quarantined) {
    lines.push(`              ${grouped(rejected)} × ${reason}${column === null ? '' : ` (${column})`}`);
  }
  if (summary.accepted) lines.push(`  accepted    ${showAcceptance(summary.accepted)}`);
  if (summary.score_psi !== null)
    lines.push(`  drift       PSI ${summary.score_psi.toFixed(3)} of the scores against the bundle's reference`);
  if (summary.score_psi_previous !== null)
    lines.push(`  drift       PSI ${summary.score_psi_previous.toFixed(3)} of the scores against the previous window`);
  for (const { feature, psi, null_share, reference_null_share } of summary.feature_drift)
    lines.push(
      `  drift       PSI ${psi.toFixed(3)} of ${feature}, nulls ${percent(null_share)} (${percent(reference_null_share)} in the reference)`,
    );
  for (const { run_id, label, start, end } of summary.supersedes_windows)
    lines.push(`  superseded  ${label} (${localRange({ start, end }, window.zone)}), run ${run_id}`);
  if (summary.chunks !== undefined) {
    lines.push(
      `  chunks      ${grouped(summary.chunks)}${summary.chunks_resumed ? `, ${grouped(summary.chunks_resumed)} staged by an earlier process` : ''}`,
    );
  }
  lines.push(`  tables      ${summary.tables.join(', ')}`);
  for (const file of summary.files) lines.push(`  report      ${file}`);
  if (seconds) lines.push(`  seconds     ${showSeconds(seconds)}`);
  if (seconds && summary.workers) lines.push(`  scoring     ${showWorkerTime(summary.workers, seconds.score)}`);
  if (summary.rows_per_second) lines.push(`  rows/s      ${showRates(summary.rows_per_second)}`);
  if (summary.bottleneck !== undefined) lines.push(`  bottleneck  ${summary.bottleneck}`);
  return lines.join('\n');
}

/** `max_drop refused, published by ANALYST: a public holiday` */
function showAcceptance({ gates, reason, user }: Acceptance): string {
  return `${gates.join(', ')} refused, published${user === null ? '' : ` by ${user}`}: ${reason}`;
}

function showProviders(providers: Readonly<Record<string, number>>): string {
  const entries = Object.entries(providers).map(([provider, chunks]) => `${provider} (${counted(chunks, 'chunk')})`);
  return entries.length === 0 ? 'no provider, since nothing was scored' : entries.join(', ');
}

/** `12,000 overall, 80,000 while scoring, 900,000 in the model` */
function showRates({ run, score, model }: Rates): string {
  const show = (rate: number | null, of: string) => (rate === null ? [] : [`${grouped(rate)} ${of}`]);
  return [...show(run, 'overall'), ...show(score, 'while scoring'), ...show(model, 'in the model')].join(', ') || 'none';
}
