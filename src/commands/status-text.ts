import { counted } from '../domain/counted.ts';
import { showAuc } from '../domain/evaluation.ts';
import { showModelChange } from '../domain/model-change.ts';
import type { Acceptance, Rollback } from '../domain/run-details.ts';
import { showSeconds, totalSeconds } from '../domain/stages.ts';
import { alignTable } from '../terminal/table.ts';
import { localMinute, localRange } from '../window/local-time.ts';
import { compareWindows, type Gap, type Gaps, MOST_MISSING } from './status-gaps.ts';
import type { ShownRun } from './status-rows.ts';

/** A row of status: a run, or a missing window. */
type Row = { readonly start: string; readonly end: string } & (
  | { readonly run: ShownRun; readonly gap?: undefined }
  | { readonly run?: undefined; readonly gap: Gap }
);

/** The contents of status. */
export interface Status {
  /** Sorted by window, then by start. */
  readonly runs: readonly ShownRun[];
  readonly gaps: Gaps;
}

export function showStatus({ runs, gaps }: Status, zone: string): string {
  const rows: Row[] = [
    ...runs.map((run) => ({ start: run.window_start, end: run.window_end, run })),
    ...gaps.windows.map((gap) => ({ start: gap.start, end: gap.end, gap })),
  ];
  // The sort is stable, so runs of a window keep their order.
  rows.sort((a, b) => compareWindows(a, b));
  const notes = runs.flatMap((run) => notesOf(run, zone).map((note) => `${run.run_id}: ${note}`));
  const last = runs.toSorted((a, b) => (a.started_at < b.started_at ? -1 : 1)).at(-1);
  return [
    alignTable(
      ['window', 'state', `started (${zone})`, 'rows', 'quarantined', 'mean score', 'PSI', 'seconds', 'model', 'run'],
      rows.map(({ run, gap }) => (gap ? [gap.window, 'missing', ...BLANK] : cellsOf(run, zone))),
    ),
    ...(runs.some((run) => markOf(run) === ' *') ? ['* published: what the tables hold now'] : []),
    ...(runs.some((run) => markOf(run) === ' !') ? ['! published, but the tables have changed since'] : []),
    ...notes,
    ...showGaps(gaps),
    ...(last?.seconds && last.bottleneck
      ? [`seconds of the last run: ${showSeconds(last.seconds)}`, `bottleneck: ${last.bottleneck}`]
      : []),
  ].join('\n');
}

/** The cells of a missing window after its state. */
const BLANK: readonly string[] = Array.from({ length: 8 }, () => '');

function cellsOf(run: ShownRun, zone: string): string[] {
  const psi = run.score_psi ?? run.score_psi_previous;
  return [
    run.window,
    `${run.state}${markOf(run)}${run.lost ? ', lost' : ''}`,
    localMinute(run.started_at, zone),
    run.rows === null ? '' : run.rows.frozen.toLocaleString('en'),
    run.rows === null ? '' : run.rows.quarantined.toLocaleString('en'),
    run.mean_score === null ? '' : run.mean_score.toFixed(4),
    psi === null ? '' : psi.toFixed(3),
    run.seconds === null ? '' : totalSeconds(run.seconds).toFixed(1),
    run.model,
    run.run_id,
  ];
}

function showGaps({ total, windows, backfill }: Gaps): string[] {
  if (backfill === null) return [];
  const older = total === windows.length ? '' : `, of which the newest ${windows.length} are shown`;
  return [
    `${total === MOST_MISSING ? 'at least ' : ''}${counted(total, 'window')} ${total === 1 ? 'is' : 'are'} missing${older}: \`${backfill}\` runs ${total === 1 ? 'it' : 'them'}`,
  ];
}

function markOf({ current, tables_differ }: ShownRun): string {
  if (!current) return '';
  return tables_differ.length === 0 ? ' *' : ' !';
}

function showAccepted({ gates, reason, user, at }: Acceptance, zone: string): string {
  return `published although ${gates.join(', ')} refused: ${reason}${user === null ? '' : `, by ${user}`}, at ${localMinute(at, zone)}`;
}

function showRollback({ publication, from, reason, user }: Omit<Rollback, 'content'>): string {
  const why = reason === null ? '' : `: ${reason}`;
  return `rolled back to publication ${publication}, from run ${from.run_id}${user === null ? '' : ` by ${user}`}${why}`;
}

function notesOf(run: ShownRun, zone: string): string[] {
  const by = run.superseded_by;
  return [
    ...(run.error === null ? [] : [run.error]),
    ...(run.accepted === null ? [] : [showAccepted(run.accepted, zone)]),
    ...(run.rollback === null ? [] : [showRollback(run.rollback)]),
    ...(run.unfinished ? [showUnfinished(run, zone)] : []),
    ...(run.lost ? ['another run has published this window since; this one cannot be resumed'] : []),
    ...(by === null ? [] : [`superseded by run ${by.run_id} for the overlapping window ${by.label}, ${localRange(by, zone)}`]),
    ...(run.tables_differ.length === 0
      ? []
      : [`${run.tables_differ.join('; ')}: \`score-batch ${run.flags}\` publishes the window again`]),
    ...(run.current && run.model_changed !== null ? [`the model changed ${showModelChange(run.model_changed)}`] : []),
    ...(run.current && run.evaluation !== null
      ? [`outcomes known: ${showAuc(run.evaluation)}, ${counted(run.evaluation.users, 'user')}`]
      : []),
    ...(run.state === 'published' && run.current
      ? [`its report file is being written or is missing: \`score-batch report ${run.flags}\` writes it`]
      : []),
    ...run.deliveries.map((one) => showDelivery(one, zone)),
  ];
}

function showDelivery({ publication, target, outcome, at, reason }: ShownRun['deliveries'][number], zone: string): string {
  const why = reason === null ? '' : `: ${reason}`;
  const what = `publication ${publication} to ${target} at ${localMinute(at, zone)}`;
  if (outcome === 'delivered') return `delivered ${what}${why}`;
  if (outcome === 'failed') return `could not deliver ${what}${why}; it will not be retried`;
  return `began to deliver ${what}, and it is unknown whether it arrived${why}; it will not be retried`;
}

/** A run without a recorded end may be running, or its process may be gone. */
function showUnfinished(run: ShownRun, zone: string): string {
  const next = showNext(run.changed);
  return run.state === 'failed'
    ? `failed with this error at ${localMinute(run.recorded_at, zone)} on ${run.host}; ${next}`
    : `began ${age(secondsSince(run.started_at))} ago on ${run.started_on} and is still running, or its process is gone; ${next}`;
}

function showNext(changed: readonly string[] | null): string {
  if (changed === null || changed.length === 0) return 'the same command resumes it, unless the job file has changed';
  return `the same command starts over: the ${changed.join(' and the ')} ${changed.length === 1 ? 'has' : 'have'} changed`;
}

/** `35 minutes`, `3 hours`, `5 days` */
export function age(seconds: number): string {
  const minutes = Math.max(0, Math.round(seconds / 60));
  if (minutes < 120) return `${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / (24 * 60))} days`;
}

/** By the real clock, as for times in the ledger. */
function secondsSince(instant: string): number {
  return (Date.now() - Date.parse(instant)) / 1000;
}
