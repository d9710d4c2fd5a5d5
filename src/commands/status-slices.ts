import type { Publication } from '../domain/ledger.ts';
import { incrementalJob } from '../domain/slice.ts';
import { showTableName } from '../domain/table-name.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import type { StatusOutput } from '../json/status.ts';
import type { Warehouses } from '../plan/warehouses.ts';
import { shadowEvidence } from '../shadow/evidence.ts';
import { shadowSpec } from '../shadow/spec.ts';
import { describeSlice, positionNow, slicesOf } from './status-slices-rows.ts';
import { type SlicesStatus, showSlices } from './status-slices-text.ts';
import type { Block } from './status-watch.ts';

/** More entries than a slice with several tries has. */
const ENTRIES_PER_SLICE = 6;

interface SlicesSpec {
  readonly job: Job;
  readonly warehouses: Warehouses;
  /** Number of newest slices. */
  readonly limit: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** @throws ScoreBatchError `usage` for flags of windows, `configuration` for a job without slices */
export function refuseWithoutSlices(
  { since, state }: { readonly since?: string; readonly state?: string },
  { definition }: Job,
): void {
  const flag = since === undefined ? (state === undefined ? undefined : '--state') : '--since';
  if (flag !== undefined) {
    throw new ScoreBatchError('usage', `${flag} cannot be combined with --slices`, {
      hint: 'remove the flag: it selects windows; use --limit to set how many slices to show',
    });
  }
  if (definition.incremental !== undefined) return;
  throw new ScoreBatchError('configuration', `the job ${definition.name} has no section incremental, so it has no slices`, {
    hint: 'add one that names the current table and the change sources; docs/hourly.md shows an example',
  });
}

type Shadow = SlicesStatus['shadow'];

/** What people read, and the state of the comparisons with the batch. */
async function shadowOf({ definition }: Job, ledger: Warehouses['ledger']): Promise<Shadow> {
  const spec = shadowSpec(definition);
  if (spec === undefined) return null;
  const entries = await ledger.entries({ job: spec.slices, states: ['compared', 'switched'] });
  const { comparisons, inRow } = shadowEvidence(entries);
  const switched = entries.findLast(({ state }) => state === 'switched');
  return {
    view: showTableName(spec.view),
    reads: switched?.window.label === 'current' ? 'current' : 'batch',
    comparisons_in_a_row: inRow.length,
    comparisons_needed: spec.shadow.comparisons,
    last_window: comparisons[0]?.window.label ?? null,
  };
}

/** The slices of a job and how far they have come. */
export async function slicesBlock({ job, warehouses, limit, now }: SlicesSpec): Promise<Block> {
  const { name, time_zone: zone, incremental, source, sink } = job.definition;
  const { ledger, reachSink, readTogether } = warehouses;
  await reachSink();
  await using _reading = readTogether();
  const slices = incrementalJob(name);
  const entries = await ledger.entries({ job: slices, newest: ENTRIES_PER_SLICE * (limit + 5) });
  const position = positionNow(entries, now) ?? null;
  const current: Pick<Publication, 'number' | 'runId'> | undefined =
    position === null ? undefined : { number: position.number, runId: position.run_id };
  const shown = slicesOf(entries)
    .slice(-limit)
    .map((run) => describeSlice(run, current, source.usd_per_tib));
  const status: SlicesStatus = {
    table: incremental?.table ?? '',
    position,
    shadow: await shadowOf(job, ledger),
    slices: shown,
  };
  const data: StatusOutput = {
    ...{ job: name, runs: [], missing: [], missing_total: 0, backfill: null },
    incremental: status,
  };
  const text =
    shown.length === 0 && position === null
      ? `${name} has no slice yet: the ledger in ${sink.warehouse ?? source.warehouse} has no entry for one`
      : showSlices(status, zone);
  return { data, text };
}
