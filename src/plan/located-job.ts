import type { Context } from '../context.ts';
import { type LedgerEntry, type Run, runsOf, unfinishedRuns } from '../domain/ledger.ts';
import { isModelUri } from '../domain/model-uri.ts';
import type { RegisteredModel, RegisteredModels } from '../domain/registered-model.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job, LocatedBundle } from '../job/load.ts';
import type { Ledger } from '../warehouse/warehouse.ts';
import { modelText, type Which } from './job-bundle.ts';
import { openWarehouses } from './warehouses.ts';

// Jobs with models from a registry, whose client is loaded for no other job.

interface LocateOptions {
  /** The job's ledger; opened if needed and not given. */
  readonly ledger?: Ledger | undefined;
  /** Versions that a run keeps, instead of what the registry says now. */
  readonly pinned?: RegisteredModels | undefined;
}

/** Whether a model of the job comes from a registry. */
export function isRegistered({ definition }: Pick<Job, 'definition'>): boolean {
  return isModelUri(definition.model) || (definition.challenger !== undefined && isModelUri(definition.challenger.model));
}

/**
 * Adds the folders of the job's models. A URI is resolved once: a job that is already located is returned unchanged. A problem
 * with the challenger's model is kept for later, since it stops no run.
 *
 * @throws ScoreBatchError `unavailable` if the registry is down and the job does not allow the version pinned last
 */
export async function locatedJob(job: Job, context: Context, { ledger, pinned }: LocateOptions = {}): Promise<Job> {
  if (!isRegistered(job) || (job.located !== undefined && pinned === undefined)) return job;
  const own = ledger === undefined ? once(async () => (await openWarehouses(job, context)).ledger) : async () => ledger;
  const model = await located(job, 'model', { context, ledger: own, pinned: pinned?.model });
  if (model?.problem !== undefined) throw model.problem;
  const challenger = await located(job, 'challenger', { context, ledger: own, pinned: pinned?.challenger });
  return { ...job, located: { ...(model && { model }), ...(challenger && { challenger }) } };
}

/** What a run's ledger entry pins; undefined if no model of the job comes from a registry. */
export function registeredOf({ located }: Pick<Job, 'located'>): RegisteredModels | undefined {
  const model = located?.model?.registered;
  const challenger = located?.challenger?.registered;
  if (model === undefined && challenger === undefined) return undefined;
  return { ...(model && { model }), ...(challenger && { challenger }) };
}

/**
 * The unfinished run of a window whose versions must be kept if it is resumed: the newest one with the job's URIs.
 *
 * @param entries all of the job and window
 */
export function pinningRun(job: Job, entries: readonly LedgerEntry[]): PinningRun | undefined {
  return unfinishedRuns(entries).find((run): run is PinningRun => pins(job, run));
}

/**
 * The newest run of a window, however it ended, if it pins versions of the job's URIs. Messages and promotions have entries
 * for the window, too; only a run has one with the state `started`.
 *
 * @param entries all of the job and window
 */
export function newestPinning(job: Job, entries: readonly LedgerEntry[]): PinningRun | undefined {
  const begun = new Set(entries.filter(({ state }) => state === 'started').map(({ runId }) => runId));
  const newest = runsOf(entries).findLast(({ runId }) => begun.has(runId));
  return newest !== undefined && pins(job, newest) ? newest : undefined;
}

type PinningRun = Run & { readonly details: { readonly registered: RegisteredModels } };

function pins(job: Job, run: Run): run is PinningRun {
  return run.details.registered !== undefined && pinsThose(job, run.details.registered);
}

function pinsThose(job: Job, { model }: RegisteredModels): boolean {
  return isModelUri(job.definition.model) ? model?.uri === job.definition.model : model === undefined;
}

interface Locating {
  readonly context: Context;
  readonly ledger: () => Promise<Ledger>;
  readonly pinned: RegisteredModel | undefined;
}

async function located(job: Job, which: Which, { context, ledger, pinned }: Locating): Promise<LocatedBundle | undefined> {
  if (which === 'challenger' && job.definition.challenger === undefined) return undefined;
  const uri = modelText(job, which);
  if (!isModelUri(uri)) return undefined;
  const { locateModel, locatePinned } = await import('../registry/locate.ts');
  try {
    if (pinned?.uri === uri) {
      context.console.info(`${uri} is version ${pinned.version}, with which the run began`);
      return await locatePinned(pinned, context);
    }
    try {
      const found = await locateModel(uri, context);
      if (found.registered.alias !== null) context.console.info(`${uri} is version ${found.registered.version}`);
      return found;
    } catch (error) {
      if (!(error instanceof ScoreBatchError && error.registryDown) || job.definition.registry?.when_down !== 'pinned')
        throw error;
      const last = await pinnedLast(job, uri, await ledger());
      if (last === undefined) throw error;
      const found = await locatePinned({ ...last, registry_down: true }, context);
      context.console.warn(
        `${error.message}; ${uri} is taken to be version ${last.version}, which the ledger last pinned (registry.when_down)`,
      );
      return found;
    }
  } catch (error) {
    if (!(error instanceof ScoreBatchError)) throw error;
    return { problem: error };
  }
}

/** The version that a run of the job last pinned for a URI, as model or as challenger. */
async function pinnedLast({ definition }: Job, uri: string, ledger: Ledger): Promise<RegisteredModel | undefined> {
  const pins = (await ledger.entries({ job: definition.name })).flatMap(({ details: { registered } }) => [
    registered?.challenger,
    registered?.model,
  ]);
  const last = pins.findLast((pin) => pin?.uri === uri);
  if (last === undefined) return undefined;
  const { registry_down: _, ...own } = last;
  return own;
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= work());
}
