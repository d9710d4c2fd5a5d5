import path from 'node:path';
import type { KnownDelivery, StateOfRun } from '../domain/deliveries.ts';
import { type HeldRows, tableDiscrepancies } from '../domain/held.ts';
import { isSuperseded, type LedgerWindow, type Publication, type Run } from '../domain/ledger.ts';
import type { Rollback } from '../domain/run-details.ts';
import { bottleneck } from '../domain/speed.ts';
import type { Tables } from '../domain/tables.ts';
import { NO_WORKER_TIME } from '../domain/worker-time.ts';
import type { Job } from '../job/load.ts';
import { loadBundle } from '../model/bundle.ts';

export function isUnfinished({ state }: Run): boolean {
  return state === 'started' || state === 'failed';
}

/** The parts of a run's fingerprint that are known without a warehouse. */
export interface Identity {
  readonly query: string;
  /** Digest of the model; undefined if it cannot be read here. */
  readonly model: string | undefined;
}

export async function identityNow({ query, root, definition }: Job): Promise<Identity> {
  const bundle = await loadBundle(path.resolve(root, definition.model)).catch(() => undefined);
  return { query, model: bundle?.digest };
}

function changesSince({ details, model }: Run, now: Identity | undefined): string[] {
  if (now === undefined) return [];
  return [
    ...(details.sql !== undefined && details.sql !== now.query ? ['query'] : []),
    ...(now.model !== undefined && model.digest !== now.model ? ['model'] : []),
  ];
}

/** What to compare a run with. */
export interface Surroundings {
  readonly now: Identity | undefined;
  readonly held: readonly HeldRows[];
  readonly tables: Tables;
  /** Deliveries of the whole job. */
  readonly deliveries: readonly KnownDelivery[];
}

export function describeRun(
  run: Run & { readonly state: StateOfRun },
  published: Pick<Publication, 'number' | 'runId'> | undefined,
  { now, held, tables, deliveries }: Surroundings,
) {
  const { details } = run;
  const current = run.runId === published?.runId;
  const unfinished = isUnfinished(run);
  const lost = unfinished && isSuperseded(run, published);
  return {
    window: run.window.label,
    window_start: run.window.start,
    window_end: run.window.end,
    /** Flags that select this window in any command. */
    flags: flagsOf(run.window),
    run_id: run.runId,
    state: run.state,
    /** Whether this run is the window's publication. */
    current,
    /** How the tables differ from the ledger; empty if they agree. */
    tables_differ: current ? tableDiscrepancies(run, held, tables) : [],
    /** The model of the previous publication, if different. */
    model_changed: details.model_changed ?? null,
    /** The publication of an overlapping window that removed this run's rows. */
    superseded_by: details.superseded_by ?? null,
    /** The gates that refused it; empty if none did. */
    refused_by: details.refused_by ?? [],
    /** Who accepted it although gates refused it, why and when. */
    accepted: details.accepted ?? null,
    /** What its publication replaced, if it is a rollback. */
    rollback: current ? shownRollback(details.rollback) : null,
    /** Whether the same command can resume it. */
    unfinished: unfinished && !lost,
    lost,
    /** What has changed in the job since an unfinished run began, so that the same command starts over. */
    changed: unfinished && !lost ? changesSince(run, now) : null,
    started_at: run.startedAt,
    started_on: run.startedOn,
    recorded_at: run.recordedAt,
    host: run.host,
    rows: run.rows ?? null,
    chunks: details.chunks ?? null,
    providers: details.providers ?? null,
    execution: details.execution ?? null,
    model: `${run.model.name} ${run.model.version}`,
    model_digest: run.state === 'erased' ? null : run.model.digest,
    /** Null if nothing was scored, or the entry is from a version that did not record it. */
    mean_score: details.mean_score ?? null,
    score_psi: details.score_psi ?? null,
    score_psi_previous: details.score_psi_previous ?? null,
    seconds: details.seconds ?? null,
    workers: details.workers ?? null,
    bottleneck: details.seconds ? bottleneck(details.seconds, details.workers ?? NO_WORKER_TIME) : null,
    /** How well the scores predicted the outcomes, if known. */
    evaluation: details.evaluation ?? null,
    /** Messages about its publications, in the order in which they were begun. */
    deliveries: deliveries.filter(({ run_id }) => run_id === run.runId).map(shownDelivery),
    error: run.state === 'failed' || run.state === 'refused' ? (details.error ?? null) : null,
  };
}

export type ShownRun = ReturnType<typeof describeRun>;

/** Flags that select a window in any command. */
export function flagsOf({ kind, label, start, end }: LedgerWindow): string {
  const flag = { week: '--week', day: '--date', hour: '--hour', 'ad hoc': undefined }[kind];
  return flag === undefined ? `--from ${start} --to ${end}` : `${flag} ${label}`;
}

function shownRollback(rollback: Rollback | undefined) {
  if (rollback === undefined) return null;
  const { publication, from, reason, user } = rollback;
  return { publication, from, reason, user };
}

function shownDelivery({ publication, target, occasion, outcome, at, status, reason }: KnownDelivery) {
  return { publication, target, occasion, outcome, at, status: status ?? null, reason: reason ?? null };
}
