import type { Context } from '../context.ts';
import { type LedgerEntry, ledgerWindow, unfinishedRun } from '../domain/ledger.ts';
import type { RegisteredModels } from '../domain/registered-model.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { locatedJob, newestPinning, pinningRun } from './located-job.ts';
import type { Warehouses } from './warehouses.ts';

// Decides which versions of registered models a run scores with.

export interface VersionOptions {
  /** Never resume an unfinished run; false by default. */
  readonly fresh?: boolean | undefined;
  /** Versions to keep, if it is known which run this is. */
  readonly pinned?: RegisteredModels | undefined;
}

interface Planning<P> {
  readonly context: Context;
  readonly warehouses: Pick<Warehouses, 'ledger'>;
  /** Makes the plan with the job's models located. */
  readonly planWith: (job: Job) => Promise<P>;
}

/** The parts of a plan that tell which run it would resume. */
interface Resumable {
  readonly entries: readonly LedgerEntry[];
  readonly fingerprint: string;
}

/**
 * Plans a job whose models come from a registry. A resumed run keeps the versions that it began with, even if an alias has
 * moved meanwhile; any other run asks the registry.
 */
export async function planVersions<P extends Resumable>(
  job: Job,
  window: Window,
  { fresh, pinned, resumes, joins }: VersionOptions & { readonly resumes: boolean; readonly joins: boolean },
  { context, warehouses: { ledger }, planWith }: Planning<P>,
): Promise<P> {
  if (pinned !== undefined) return await planWith(await locatedJob(job, context, { ledger, pinned }));
  if (resumes && fresh !== true) {
    const entries = await ledger.entries({ job: job.definition.name, window: ledgerWindow(window) });
    const run = pinningRun(job, entries);
    const plan = run && (await planOf(run.details.registered, isResumed));
    if (plan !== undefined) return plan;
    // A repeated step belongs to the run that has ended meanwhile.
    const newest = joins ? newestPinning(job, entries) : undefined;
    const joined = newest && (await planOf(newest.details.registered, ({ fingerprint }) => fingerprint === newest.fingerprint));
    if (joined !== undefined) return joined;
  }
  return await planWith(await locatedJob(job, context, { ledger }));

  /** Returns undefined if the job changed in other ways, so that the plan is not for that run. */
  async function planOf(kept: RegisteredModels, isOf: (plan: P) => boolean): Promise<P | undefined> {
    try {
      const plan = await planWith(await locatedJob(job, context, { ledger, pinned: kept }));
      return isOf(plan) ? plan : undefined;
    } catch (error) {
      // The version may no longer fit the job.
      if (error instanceof ScoreBatchError && error.kind === 'configuration') return undefined;
      throw error;
    }
  }
}

function isResumed({ entries, fingerprint }: Resumable): boolean {
  return unfinishedRun(entries, fingerprint) !== undefined;
}
