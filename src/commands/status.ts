import path from 'node:path';
import type { Context } from '../context.ts';
import { currentPublication, isOvertaken, type LedgerEntry, type LedgerWindow, type Run, runsOf } from '../domain/ledger.ts';
import { bottleneck } from '../domain/speed.ts';
import { showSeconds, totalSeconds } from '../domain/stages.ts';
import { tablesOf } from '../domain/tables.ts';
import { NO_WORKER_TIME } from '../domain/worker-time.ts';
import type { Job } from '../job/load.ts';
import { loadBundle } from '../model/bundle.ts';
import { openWarehouses, tableNames } from '../plan/warehouses.ts';
import { alignTable } from '../terminal/table.ts';
import { namedJob } from './named-job.ts';
import type { JobFlags } from './options.ts';

export interface StatusFlags extends JobFlags {
  readonly limit?: number;
}

const DEFAULT_LIMIT = 20;

/** The ledger: runs, states, counts, stage seconds; the newest last. */
export async function statusCommand(flags: StatusFlags, context: Context): Promise<{ data: object; text: string }> {
  const job = await namedJob(flags, context);
  const { definition } = job;
  const layout = tablesOf(tableNames(definition), [], [], definition.score.column).ledger;
  const { sink } = await openWarehouses(job, context);
  await sink.reach();
  const entries = await sink.ledger(layout).entries({ job: definition.name });
  const current = currentRuns(entries);
  const runs = runsOf(entries)
    .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1))
    .slice(-(flags.limit ?? DEFAULT_LIMIT));
  const now = runs.some(isUnfinished) ? await identityNow(job) : undefined;
  const data = runs.map((run) => describeRun(run, current.get(keyOf(run)), now));
  return {
    data: { job: definition.name, runs: data },
    text: showRuns(definition.name, definition.sink.warehouse ?? definition.source.warehouse, data),
  };
}

/** Ids of the runs that the tables hold, by window. */
function currentRuns(entries: readonly LedgerEntry[]): Map<string, string | undefined> {
  const byWindow = new Map<string, LedgerEntry[]>();
  for (const entry of entries) byWindow.set(keyOf(entry), [...(byWindow.get(keyOf(entry)) ?? []), entry]);
  return new Map([...byWindow].map(([key, group]) => [key, currentPublication(group)?.runId]));
}

function keyOf({ window }: Pick<LedgerEntry, 'window'>): string {
  return `${window.start} ${window.end}`;
}

function isUnfinished({ state }: Run): boolean {
  return state === 'started' || state === 'failed';
}

/** What makes a run another one that can be told without asking the warehouses. */
interface Identity {
  readonly query: string;
  /** Digest of the model; undefined where it cannot be read here. */
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

function describeRun(run: Run, published: string | undefined, now: Identity | undefined) {
  const { details } = run;
  const current = run.runId === published;
  const unfinished = isUnfinished(run);
  const lost = unfinished && isOvertaken(run, published);
  return {
    window: run.window.label,
    /** By which every command can be told this window. */
    flags: flagsOf(run.window),
    run_id: run.runId,
    state: run.state,
    /** Whether the tables hold this run's rows. */
    current,
    /** Whether the same command can go on with it. */
    unfinished: unfinished && !lost,
    lost,
    /** What has changed in the job since an unfinished run began, so that the same command begins anew. */
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
    error: run.state === 'failed' || run.state === 'refused' ? (details.error ?? null) : null,
  };
}

function showRuns(job: string, sink: string, runs: readonly ReturnType<typeof describeRun>[]): string {
  if (runs.length === 0) return `${job} has not run yet: there is no entry of it in the ledger of ${sink}`;
  const rows = runs.map((run) => [
    run.window,
    `${run.state}${run.current ? ' *' : ''}${run.lost ? ', lost' : ''}`,
    run.started_at.slice(0, 19).replace('T', ' '),
    run.rows === null ? '' : run.rows.frozen.toLocaleString('en'),
    run.rows === null ? '' : run.rows.quarantined.toLocaleString('en'),
    run.seconds === null ? '' : totalSeconds(run.seconds).toFixed(1),
    run.run_id,
  ]);
  const notes = runs.flatMap((run) => [
    ...(run.error === null ? [] : [`${run.run_id}: ${run.error}`]),
    ...(run.unfinished
      ? [
          `${run.run_id}: began ${age(run.started_at)} ago on ${run.started_on} and is at work, or its process is gone; ${showNext(run.changed)}`,
        ]
      : []),
    ...(run.lost ? [`${run.run_id}: another run has published its window since; it is over`] : []),
    ...(run.state === 'published' && run.current
      ? [`${run.run_id}: its report file is being written, or is missing: \`score-batch report ${run.flags}\` writes it`]
      : []),
  ]);
  const last = runs.at(-1);
  if (last?.seconds && last.bottleneck) {
    notes.push(`seconds of the last run: ${showSeconds(last.seconds)}`, `bottleneck: ${last.bottleneck}`);
  }
  return [
    alignTable(['window', 'state', 'started (UTC)', 'rows', 'quarantined', 'seconds', 'run'], rows),
    ...(runs.some((run) => run.current) ? ['* what the tables hold now'] : []),
    ...notes,
  ].join('\n');
}

function flagsOf({ kind, label, start, end }: LedgerWindow): string {
  const flag = { week: '--week', day: '--date', hour: '--hour', 'ad hoc': undefined }[kind];
  return flag === undefined ? `--from ${start} --to ${end}` : `${flag} ${label}`;
}

function showNext(changed: readonly string[] | null): string {
  if (changed === null || changed.length === 0) return 'the same command goes on with it, unless the job file has changed';
  return `the same command begins anew: the ${changed.join(' and the ')} ${changed.length === 1 ? 'has' : 'have'} changed`;
}

/** By the real clock, of which the ledger's times are. */
function age(since: string): string {
  const minutes = Math.max(0, Math.round((Date.now() - Date.parse(since)) / 60_000));
  if (minutes < 120) return `${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / (24 * 60))} days`;
}
