import type { Context } from '../context.ts';
import { type LedgerEntry, ledgerWindow, unfinishedRun } from '../domain/ledger.ts';
import type { RegisteredModels } from '../domain/registered-model.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { isRegistered, locatedJob, pinningRun } from '../plan/located-job.ts';
import { openWarehouses } from '../plan/warehouses.ts';
import { openSlices, type PlannedSlice, planSlice, type SliceOptions, type SliceSession } from './plan-slice.ts';
import { positionOf } from './position.ts';
import { incrementalOf, sliceJob, sliceWindow } from './slice-job.ts';

export interface FirstSlice {
  readonly session: SliceSession;
  readonly planned: PlannedSlice;
  /** The session for the following slices, with the versions that the registry names now. */
  next(): Promise<SliceSession>;
}

/**
 * Plans the first slice of a command. Only a slice that is really resumed keeps the version that it began with: any other, and all
 * that follow, ask the registry.
 */
export async function firstSlice(job: Job, options: SliceOptions, context: Context): Promise<FirstSlice> {
  incrementalOf(job);
  const resumed = isRegistered(job) ? await resumedSlice(job, options, context) : undefined;
  if (resumed !== undefined) return { ...resumed, next: () => openNow(job, options, context) };
  const session = await openNow(job, options, context);
  return { session, planned: await planSlice(session, context), next: async () => session };
}

async function openNow(job: Job, options: SliceOptions, context: Context): Promise<SliceSession> {
  if (!isRegistered(job)) return await openSlices(job, options, context);
  const { ledger } = await openWarehouses(sliceJob(job), context);
  return await openSlices(await locatedJob(job, context, { ledger }), options, context);
}

/** Undefined if no unfinished slice can be resumed with the version that it began with. */
async function resumedSlice(job: Job, options: SliceOptions, context: Context): Promise<Omit<FirstSlice, 'next'> | undefined> {
  const { ledger } = await openWarehouses(sliceJob(job), context);
  const entries = await ledger.entries({ job: sliceJob(job).definition.name, window: ledgerWindow(sliceWindow(job)) });
  const pinned = pinnedVersions(job, options, entries);
  if (pinned === undefined) return undefined;
  try {
    const session = await openSlices(await locatedJob(job, context, { ledger, pinned }), options, context);
    const planned = await planSlice(session, context);
    const { plan } = planned;
    return unfinishedRun(plan.entries, plan.fingerprint) === undefined ? undefined : { session, planned };
  } catch (error) {
    // The version may be gone, or may no longer fit the job.
    if (error instanceof ScoreBatchError && error.kind === 'configuration') return undefined;
    throw error;
  }
}

/** The versions pinned by the unfinished slice that follows the newest published one. */
function pinnedVersions(job: Job, { snapshot }: SliceOptions, entries: readonly LedgerEntry[]): RegisteredModels | undefined {
  const run = pinningRun(job, entries);
  const slice = run?.details.slice;
  if (slice === undefined || slice.follows !== (positionOf(entries)?.number ?? null)) return undefined;
  return snapshot && slice.kind !== 'snapshot' ? undefined : run?.details.registered;
}
