import type { Context } from '../context.ts';
import { currentPublication, type LedgerEntry, type Run, runsOf } from '../domain/ledger.ts';
import { bottleneck, showSeconds } from '../domain/stages.ts';
import { tablesOf } from '../domain/tables.ts';
import { loadJob } from '../job/load.ts';
import { openWarehouses, tableNames } from '../plan/warehouses.ts';
import { alignTable } from '../terminal/table.ts';
import type { JobFlags } from './options.ts';

export interface StatusFlags extends JobFlags {
  readonly limit?: number;
}

const DEFAULT_LIMIT = 20;

/** The ledger: runs, states, counts, stage seconds; the newest last. */
export async function statusCommand(flags: StatusFlags, context: Context): Promise<{ data: object; text: string }> {
  const job = await loadJob(flags.job, context.folder, context.environment);
  const { definition } = job;
  const layout = tablesOf(tableNames(definition), [], [], definition.score.column).ledger;
  const { sink } = await openWarehouses(job, context);
  await sink.reach();
  const entries = await sink.ledger(layout).entries({ job: definition.name });
  const current = currentRuns(entries);
  const runs = runsOf(entries)
    .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1))
    .slice(-(flags.limit ?? DEFAULT_LIMIT));
  const data = runs.map((run) => describeRun(run, current.has(run.runId)));
  return {
    data: { job: definition.name, runs: data },
    text: showRuns(definition.name, definition.sink.warehouse ?? definition.source.warehouse, data, context.now),
  };
}

/** Ids of the runs that the tables hold. */
function currentRuns(entries: readonly LedgerEntry[]): Set<string> {
  const byWindow = new Map<string, LedgerEntry[]>();
  for (const entry of entries) {
    const key = `${entry.window.start} ${entry.window.end}`;
    byWindow.set(key, [...(byWindow.get(key) ?? []), entry]);
  }
  return new Set([...byWindow.values()].flatMap((group) => currentPublication(group)?.runId ?? []));
}

function describeRun(run: Run, current: boolean) {
  const { details } = run;
  return {
    window: run.window.label,
    run_id: run.runId,
    state: run.state,
    /** Whether the tables hold this run's rows. */
    current,
    started_at: run.startedAt,
    recorded_at: run.recordedAt,
    host: run.host,
    rows: run.rows ?? null,
    chunks: details.chunks ?? null,
    providers: details.providers ?? null,
    model: `${run.model.name} ${run.model.version}`,
    model_digest: run.model.digest,
    seconds: details.seconds ?? null,
    bottleneck: details.seconds ? bottleneck(details.seconds) : null,
    error: run.state === 'failed' || run.state === 'refused' ? (details.error ?? null) : null,
  };
}

function showRuns(job: string, sink: string, runs: readonly ReturnType<typeof describeRun>[], now: number): string {
  if (runs.length === 0) return `${job} has not run yet: there is no entry of it in the ledger of ${sink}`;
  const rows = runs.map((run) => [
    run.window,
    run.current ? `${run.state} *` : run.state,
    run.started_at.slice(0, 19).replace('T', ' '),
    run.rows === null ? '' : run.rows.frozen.toLocaleString('en'),
    run.rows === null ? '' : run.rows.quarantined.toLocaleString('en'),
    run.seconds === null
      ? ''
      : Object.values(run.seconds)
          .reduce((sum, value) => sum + value, 0)
          .toFixed(1),
    run.run_id,
  ]);
  const notes = runs.flatMap((run) => {
    if (run.error !== null) return `${run.run_id}: ${run.error}`;
    if (run.state === 'started')
      return `${run.run_id}: unfinished since ${age(now, run.started_at)} on ${run.host}; the same command goes on with it`;
    if (run.state === 'published' && run.current)
      return `${run.run_id}: its report file is missing; \`score-batch report\` writes it`;
    return [];
  });
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

function age(now: number, since: string): string {
  const minutes = Math.max(0, Math.round((now - Date.parse(since)) / 60_000));
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`;
}
