import path from 'node:path';
import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import { showAuc } from '../domain/evaluation.ts';
import { type HeldRows, tableDiscrepancies } from '../domain/held.ts';
import { isSuperseded, type LedgerWindow, type Run, runsOf } from '../domain/ledger.ts';
import { showModelChange } from '../domain/model-change.ts';
import { currentEntries, windowKey } from '../domain/publications.ts';
import { bottleneck } from '../domain/speed.ts';
import { showSeconds, totalSeconds } from '../domain/stages.ts';
import { type Tables, tablesByName } from '../domain/tables.ts';
import { NO_WORKER_TIME } from '../domain/worker-time.ts';
import type { Job } from '../job/load.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { StatusOutput } from '../json/status.ts';
import { loadBundle } from '../model/bundle.ts';
import { openWarehouses, tableNames } from '../plan/warehouses.ts';
import { alignTable } from '../terminal/table.ts';
import { localMinute, localRange } from '../window/local-time.ts';
import { namedJob } from './named-job.ts';
import type { JobFlags } from './options.ts';

export interface StatusFlags extends JobFlags {
  readonly limit?: number;
}

const DEFAULT_LIMIT = 20;

/** Shows the ledger: runs, states, counts, stage seconds, newest last. Compares publications with the tables. */
export async function statusCommand(flags: StatusFlags, context: Context): Promise<{ data: StatusOutput; text: string }> {
  const job = await namedJob(flags, context);
  const { definition } = job;
  const tables = tablesByName(tableNames(definition), definition.score.column, definition.sink.layout);
  const { sink, ledger, reachSink, readTogether } = await openWarehouses(job, context);
  await reachSink();
  await using _reading = readTogether();
  const entries = await ledger.entries({ job: definition.name });
  const current = new Map(currentEntries(entries).map(({ window, runId }) => [windowKey(window), runId]));
  const runs = runsOf(entries)
    .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1))
    .slice(-(flags.limit ?? DEFAULT_LIMIT));
  const now = runs.some(isUnfinished) ? await identityNow(job) : undefined;
  const published = runs.filter((run) => current.get(windowKey(run.window)) === run.runId);
  const held = await sink.held(
    tables,
    definition.name,
    published.map(({ window }) => window),
  );
  const data = runs.map((run) => describeRun(run, current.get(windowKey(run.window)), { now, held, tables }));
  return {
    data: { job: definition.name, runs: data },
    text: showRuns(data, definition),
  };
}

function isUnfinished({ state }: Run): boolean {
  return state === 'started' || state === 'failed';
}

/** The parts of a run's fingerprint that are known without a warehouse. */
interface Identity {
  readonly query: string;
  /** Digest of the model; undefined if it cannot be read here. */
  readonly model: string | undefined;
}

async function identityNow({ query, root, definition }: Job): Promise<Identity> {
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

/** What a run is compared with. */
interface Surroundings {
  readonly now: Identity | undefined;
  readonly held: readonly HeldRows[];
  readonly tables: Tables;
}

function describeRun(run: Run, published: string | undefined, { now, held, tables }: Surroundings) {
  const { details } = run;
  const current = run.runId === published;
  const unfinished = isUnfinished(run);
  const lost = unfinished && isSuperseded(run, published);
  return {
    window: run.window.label,
    /** Flags that name this window in any command. */
    flags: flagsOf(run.window),
    run_id: run.runId,
    state: run.state,
    /** Whether this run is the window's publication. */
    current,
    /** How the tables differ from what the ledger says; empty if they agree. */
    tables_differ: current ? tableDiscrepancies(run, held, tables) : [],
    /** The model of the previous publication, if it was a different one. */
    model_changed: details.model_changed ?? null,
    /** The publication of an overlapping window that removed this run's rows. */
    superseded_by: details.superseded_by ?? null,
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
    model_digest: run.model.digest,
    seconds: details.seconds ?? null,
    workers: details.workers ?? null,
    bottleneck: details.seconds ? bottleneck(details.seconds, details.workers ?? NO_WORKER_TIME) : null,
    /** How well the scores foretold what became of the users, if that is known. */
    evaluation: details.evaluation ?? null,
    error: run.state === 'failed' || run.state === 'refused' ? (details.error ?? null) : null,
  };
}

type ShownRun = ReturnType<typeof describeRun>;

function showRuns(runs: readonly ShownRun[], { name, source, sink, time_zone: zone }: JobDefinition): string {
  if (runs.length === 0) {
    return `${name} has not run yet: the ledger in ${sink.warehouse ?? source.warehouse} has no entry of it`;
  }
  const rows = runs.map((run) => [
    run.window,
    `${run.state}${markOf(run)}${run.lost ? ', lost' : ''}`,
    localMinute(run.started_at, zone),
    run.rows === null ? '' : run.rows.frozen.toLocaleString('en'),
    run.rows === null ? '' : run.rows.quarantined.toLocaleString('en'),
    run.seconds === null ? '' : totalSeconds(run.seconds).toFixed(1),
    run.run_id,
  ]);
  const notes = runs.flatMap((run) => notesOf(run, zone).map((note) => `${run.run_id}: ${note}`));
  const last = runs.at(-1);
  if (last?.seconds && last.bottleneck) {
    notes.push(`seconds of the last run: ${showSeconds(last.seconds)}`, `bottleneck: ${last.bottleneck}`);
  }
  return [
    alignTable(['window', 'state', `started (${zone})`, 'rows', 'quarantined', 'seconds', 'run'], rows),
    ...(runs.some((run) => markOf(run) === ' *') ? ['* published: what the tables hold now'] : []),
    ...(runs.some((run) => markOf(run) === ' !') ? ['! published, but the tables have changed since'] : []),
    ...notes,
  ].join('\n');
}

function markOf({ current, tables_differ }: ShownRun): string {
  if (!current) return '';
  return tables_differ.length === 0 ? ' *' : ' !';
}

function notesOf(run: ShownRun, zone: string): string[] {
  const by = run.superseded_by;
  return [
    ...(run.error === null ? [] : [run.error]),
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
  ];
}

/** A run that has not recorded its end may be running, or its process may be gone. */
function showUnfinished(run: ShownRun, zone: string): string {
  const next = showNext(run.changed);
  return run.state === 'failed'
    ? `failed with this error at ${localMinute(run.recorded_at, zone)} on ${run.host}; ${next}`
    : `began ${age(run.started_at)} ago on ${run.started_on} and is running, or its process is gone; ${next}`;
}

function flagsOf({ kind, label, start, end }: LedgerWindow): string {
  const flag = { week: '--week', day: '--date', hour: '--hour', 'ad hoc': undefined }[kind];
  return flag === undefined ? `--from ${start} --to ${end}` : `${flag} ${label}`;
}

function showNext(changed: readonly string[] | null): string {
  if (changed === null || changed.length === 0) return 'the same command resumes it, unless the job file has changed';
  return `the same command starts over: the ${changed.join(' and the ')} ${changed.length === 1 ? 'has' : 'have'} changed`;
}

/** By the real clock, like the times in the ledger. */
function age(since: string): string {
  const minutes = Math.max(0, Math.round((Date.now() - Date.parse(since)) / 60_000));
  if (minutes < 120) return `${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / (24 * 60))} days`;
}
