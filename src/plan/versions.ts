import type { Context } from '../context.ts';
import { type LedgerEntry, ledgerWindow, unfinishedRun } from '../domain/ledger.ts';
import type { RegisteredModels } from '../domain/registered-model.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { locatedJob, pinningRun } from './located-job.ts';
import type { Warehouses } from './warehouses.ts';

// Which versions of registered models a run scores with.

export interface VersionOptions {
  /** Never resume an unfinished run; false by default. */
  readonly fresh?: boolean | undefined;
  /** Versions that a run keeps, if it is known which run it is. */
  readonly pinned?: RegisteredModels | undefined;
}

interface Planning<P> {
  readonly context: Context;
  readonly warehouses: Pick<Warehouses, 'ledger'>;
  /** Makes the plan with the job's models located. */
  readonly planWith: (job: Job) => Promise<P>;
}

/** What of a plan says which run it would resume. */
interface Resumable {
  readonly entries: readonly LedgerEntry[];
  readonly fingerprint: string;
}

/**
 * Makes a plan of a job whose models come from a registry. A run that is resumed keeps the versions that it began with, wherever an
 * alias moved meanwhile; any other asks the registry.
 */
export async function planVersions<P extends Resumable>(
  job: Job,
  window: Window,
  { fresh, pinned, resumes }: VersionOptions & { readonly resumes: boolean },
  { context, warehouses: { ledger }, planWith }: Planning<P>,
): Promise<P> {
  if (pinned !== undefined) return await planWith(await locatedJob(job, context, { ledger, pinned }));
  if (resumes && fresh !== true) {
    const entries = await ledger.entries({ job: job.definition.name, window: ledgerWindow(window) });
    const run = pinningRun(job, entries);
    const plan = run && (await planOf(run.details.registered));
    if (plan !== undefined) return plan;
  }
  return await planWith(await locatedJob(job, context, { ledger }));

  /** Returns undefined if the job was changed otherwise, so that no run would be resumed. */
  async function planOf(kept: RegisteredModels): Promise<P | undefined> {
    try {
      const plan = await planWith(await locatedJob(job, context, { ledger, pinned: kept }));
      return unfinishedRun(plan.entries, plan.fingerprint) === undefined ? undefined : plan;
    } catch (error) {
      // The version may not fit the job any more.
      if (error instanceof ScoreBatchError && error.kind === 'configuration') return undefined;
      throw error;
    }
  }
}
