import type { Context } from '../context.ts';
import { deliveriesOf, isOfRun } from '../domain/deliveries.ts';
import { runsOf } from '../domain/ledger.ts';
import { currentEntries, windowKey } from '../domain/publications.ts';
import { tablesByName } from '../domain/tables.ts';
import type { Job } from '../job/load.ts';
import type { StatusOutput } from '../json/status.ts';
import { openWarehouses, tableNames, type Warehouses } from '../plan/warehouses.ts';
import { namedJob } from './named-job.ts';
import type { JobFlags } from './options.ts';
import { readFilter, type StatusFilter } from './status-filter.ts';
import { compareWindows, findGaps, type Gaps, NO_GAPS } from './status-gaps.ts';
import { describeRun, identityNow, isUnfinished, type ShownRun } from './status-rows.ts';
import { refuseWithoutSlices, slicesBlock } from './status-slices.ts';
import { type Status, showStatus } from './status-text.ts';
import { type Block, watch } from './status-watch.ts';

export interface StatusFlags extends JobFlags {
  readonly limit?: number;
  /** A week, a date or an instant. */
  readonly since?: string;
  /** States separated by commas. */
  readonly state?: string;
  /** Seconds between refreshes; `true` for the default. */
  readonly watch?: number | true;
  /** Show the slices instead of the windows. */
  readonly slices?: boolean;
}

const DEFAULT_LIMIT = 20;
const WATCH_SECONDS = 5;

/**
 * Shows the ledger: runs, states, counts, stage seconds, sorted by window, and missing windows. Compares publications with the
 * tables. With `--slices`: the slices of the job instead.
 *
 * @param show prints a block: one, or many with `--watch`
 */
export async function statusCommand(flags: StatusFlags, context: Context, show: (block: Block) => void): Promise<void> {
  const job = await namedJob(flags, context);
  const filter = readFilter(flags, job.definition.time_zone);
  if (flags.slices === true) refuseWithoutSlices(flags, job);
  const warehouses = await openWarehouses(job, context);
  const { limit = DEFAULT_LIMIT } = flags;
  const make = async (now: number) =>
    flags.slices === true
      ? await slicesBlock({ job, warehouses, limit, now })
      : toBlock(job, await readStatus({ job, warehouses, filter, flags, now }));
  if (flags.watch === undefined) return show(await make(context.now));
  await watch(flags.watch === true ? WATCH_SECONDS : flags.watch, make, show, context);
}

interface StatusSpec {
  readonly job: Job;
  readonly warehouses: Warehouses;
  readonly filter: StatusFilter;
  readonly flags: StatusFlags;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** @returns undefined if the job has not run yet */
async function readStatus({ job, warehouses, filter, flags, now }: StatusSpec): Promise<Status | undefined> {
  const { definition } = job;
  const tables = tablesByName(tableNames(definition), definition.score.column, definition.sink.layout);
  const { sink, ledger, reachSink, readTogether } = warehouses;
  await reachSink();
  await using _reading = readTogether();
  const entries = await ledger.entries({ job: definition.name });
  if (entries.length === 0) return undefined;
  const published = currentEntries(entries);
  const current = new Map(
    published.map(({ window, runId, publication }) => [windowKey(window), { runId, number: publication }]),
  );
  const limit = flags.limit ?? DEFAULT_LIMIT;
  const { since = Number.NEGATIVE_INFINITY, states } = filter;
  const runs = runsOf(entries)
    .filter(isOfRun)
    .filter(({ window, state }) => Date.parse(window.start) >= since && (states?.has(state) ?? true))
    // By time of the last entry: a rollback makes an old run the newest event.
    .sort((a, b) => (a.recordedAt < b.recordedAt ? -1 : 1))
    .slice(-limit)
    .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1))
    .sort((a, b) => compareWindows(a.window, b.window));
  const identity = runs.some(isUnfinished) ? await identityNow(job) : undefined;
  const shown = runs.filter((run) => current.get(windowKey(run.window))?.runId === run.runId);
  const held = await sink.held(
    tables,
    definition.name,
    shown.map(({ window }) => window),
  );
  const { every: grain, time_zone: zone } = definition;
  const deliveries = deliveriesOf(entries);
  const jobFlag = flags.job === undefined ? '' : `--job ${flags.job} `;
  return {
    runs: runs.map((run) => describeRun(run, current.get(windowKey(run.window)), { now: identity, held, tables, deliveries })),
    gaps:
      states === undefined || states.has('missing')
        ? findGaps(published, { grain, zone, now, since: filter.since, limit, jobFlag })
        : NO_GAPS,
  };
}

function toBlock({ definition: { name, sink, source, time_zone } }: Job, status: Status | undefined): Block {
  const { runs, gaps }: { runs: readonly ShownRun[]; gaps: Gaps } = status ?? { runs: [], gaps: NO_GAPS };
  const data: StatusOutput = { job: name, runs, missing: gaps.windows, missing_total: gaps.total, backfill: gaps.backfill };
  if (status === undefined) {
    return { data, text: `${name} has not run yet: the ledger in ${sink.warehouse ?? source.warehouse} has no entry for it` };
  }
  const nothing = runs.length === 0 && gaps.windows.length === 0;
  return { data, text: nothing ? `no run of ${name} has these states and windows` : showStatus(status, time_zone) };
}
