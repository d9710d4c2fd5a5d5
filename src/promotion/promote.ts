import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Context } from '../context.ts';
import { begunPromotion } from '../domain/begun-promotion.ts';
import { challengerJob } from '../domain/challenger.ts';
import type { LedgerEntry, RunState } from '../domain/ledger.ts';
import type { PromotedModel, Promotion } from '../domain/promotion.ts';
import { isSameBundle } from '../domain/recorded-comparison.ts';
import type { RunDetails } from '../domain/run-details.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import type { Bundle } from '../model/bundle.ts';
import { refuseMissingReference } from '../plan/checks.ts';
import { refuseUnmeasured } from '../plan/feature-drift.ts';
import { loadJobBundle } from '../plan/job-bundle.ts';
import { locatedJob } from '../plan/located-job.ts';
import { openWarehouses, type Warehouses } from '../plan/warehouses.ts';
import { sessionUser } from '../warehouse/session-user.ts';
import { comparedWindows } from './evidence.ts';
import { changesLeft, type JobChange } from './job-change.ts';
import { refusalsOf, refuseUnproven } from './refusals.ts';

export interface PromoteOptions {
  /** Promote despite the comparisons; needs a reason. */
  readonly force: boolean;
  readonly reason: string | undefined;
  readonly dryRun: boolean;
}

/** The output of `promote --json`. */
export interface PromoteSummary extends Promotion {
  readonly job: string;
  /** Null for a dry run. */
  readonly run_id: string | null;
  /** `finished` if an earlier process began it. */
  readonly state: 'promoted' | 'finished' | 'would be promoted';
  readonly changes: readonly string[];
}

/** What identifies a promotion in the ledger. */
type Identity = Pick<LedgerEntry, 'runId' | 'job' | 'window' | 'fingerprint' | 'model'>;

interface Begun extends Identity {
  readonly promotion: Promotion;
}

/**
 * Makes the challenger the model of the job: a `promoting` entry, the change of job file or link, a `promoted` entry. After a
 * kill in between, the same command finishes what the entry says.
 *
 * @throws ScoreBatchError `configuration` without a challenger or without limits, `refused` if the comparisons do not allow it,
 * `conflict` if the job file changes meanwhile
 */
export async function promote(named: Job, options: PromoteOptions, context: Context): Promise<PromoteSummary> {
  const warehouses = await openWarehouses(named, context);
  const job = await locatedJob(named, context, { ledger: warehouses.ledger });
  const { name } = job.definition;
  const entries = await warehouses.ledger.entries({ job: name });
  const champion = await loadJobBundle(job);
  const challenger = job.definition.challenger && (await loadJobBundle(job, 'challenger'));
  const begun = begunPromotion(entries);
  if (begun !== undefined) {
    const promotion = begun.details.promotion;
    const changes = await stepsOf(job, promotion, { champion, challenger }, context);
    if (changes !== undefined) {
      if (!options.dryRun) await carryOut(warehouses, { ...identityOf(begun), promotion }, changes);
      return summaryOf(job, promotion, changes, options.dryRun ? ['would be promoted', null] : ['finished', begun.runId]);
    }
    if (!options.dryRun) await abandon(warehouses, { ...identityOf(begun), promotion });
    context.console.warn(
      `the promotion ${begun.runId} ${options.dryRun ? 'would be' : 'was'} abandoned: the model or challenger of the job has changed since`,
    );
  }
  if (job.definition.challenger === undefined || challenger === undefined) {
    throw new ScoreBatchError('configuration', `${name} has no challenger to promote`, {
      hint: 'name the bundle of a challenger under challenger in the job file; later runs then compare the two models',
    });
  }
  const { window, promotion } = await decided({ job, champion, challenger, warehouses, entries, options });
  const changes = (await stepsOf(job, promotion, { champion, challenger }, context)) ?? [];
  if (options.dryRun) return summaryOf(job, promotion, changes, ['would be promoted', null]);
  const own = await begin(warehouses, { job: name, window, promotion });
  await carryOut(warehouses, own, changes);
  return summaryOf(job, own.promotion, changes, ['promoted', own.runId]);
}

interface DecideOptions {
  readonly job: Job;
  readonly champion: Bundle;
  readonly challenger: Bundle;
  readonly warehouses: Warehouses;
  readonly entries: readonly LedgerEntry[];
  readonly options: PromoteOptions;
}

/** @throws ScoreBatchError if the challenger may not be promoted */
async function decided(options: DecideOptions): Promise<Pick<Begun, 'window' | 'promotion'>> {
  const { job, champion, challenger, warehouses, entries } = options;
  const { name, every, compare, model, challenger: spec } = job.definition;
  if (spec === undefined) throw new Error('a job without a challenger promotes nothing');
  // These gates would refuse the next run, with or without --force.
  refuseMissingReference(job, challenger);
  refuseUnmeasured(job, challenger);
  const windows = comparedWindows({
    ...{ champions: entries, challengers: await warehouses.ledger.entries({ job: challengerJob(name) }) },
    ...{ every, count: spec.promote_after, limits: compare, champion, challenger },
  });
  const refusals = refusalsOf(windows, job);
  const { force, reason = null } = options.options;
  // Force overrules refusals from here on.
  if (!force) refuseUnproven(refusals, job);
  const [newest] = windows;
  if (newest === undefined) {
    throw new ScoreBatchError('refused', `${name} has published nothing that a promotion could be based on`, {
      hint: `set model: ${spec.model} in the job file; no publication is affected`,
    });
  }
  return {
    window: newest.champion.window,
    promotion: {
      from: modelOf(model, champion),
      to: modelOf(spec.model, challenger),
      windows: windows.filter(({ limits, problems }) => limits.length > 0 && problems.length === 0).map(({ label }) => label),
      ...{ forced: refusals.length > 0, reason, refusals },
      user: (await sessionUser(warehouses.sink)) ?? null,
    },
  };
}

/** Appends the `promoting` entry, unless another process has just begun the same promotion. */
async function begin({ ledger }: Warehouses, own: Pick<Begun, 'job' | 'window' | 'promotion'>): Promise<Begun> {
  const { job, window, promotion } = own;
  const { name, version, digest } = promotion.to;
  const runId = `promote-${randomBytes(6).toString('hex')}`;
  // Unique to this promotion, so that no run is mistaken for it.
  const fingerprint = createHash('sha256').update(runId).digest('hex');
  const mine: Begun = { ...{ runId, job, window, fingerprint, promotion }, model: { name, version, digest } };
  return await ledger.decide<Begun>({ job, window }, async (entries) => {
    const other = begunPromotion(entries);
    if (other?.details.promotion.to.digest === digest)
      return { result: { ...identityOf(other), promotion: other.details.promotion } };
    return { append: entryOf(mine, 'promoting', { promotion }), result: mine };
  });
}

async function carryOut({ ledger }: Warehouses, begun: Begun, changes: readonly JobChange[]): Promise<void> {
  for (const change of changes) await change.apply();
  await ledger.append(entryOf(begun, 'promoted', { promotion: begun.promotion }));
}

async function abandon({ ledger }: Warehouses, begun: Begun): Promise<void> {
  const error = 'the model or challenger of the job was changed before the promotion was finished';
  await ledger.append(entryOf(begun, 'refused', { promotion: begun.promotion, error }));
}

interface Present {
  readonly champion: Bundle;
  readonly challenger: Bundle | undefined;
}

/** @returns the remaining steps; undefined if the job has neither the old nor the new model in its place */
async function stepsOf(
  job: Job,
  { from, to }: Promotion,
  { champion, challenger }: Present,
  { environment, signal }: Context,
): Promise<JobChange[] | undefined> {
  const challenges = challenger !== undefined && isModel(to, challenger);
  if (isModel(to, champion))
    return await changesLeft({ job, to, bundle: champion, leads: true, challenges, environment, signal });
  if (!challenges || !isModel(from, champion)) return undefined;
  return await changesLeft({ job, to, bundle: challenger, leads: false, challenges, environment, signal });
}

function modelOf(model: string, { definition, digest, definitionDigest }: Bundle): PromotedModel {
  return { model, name: definition.name, version: definition.version, digest, definition_digest: definitionDigest };
}

function isModel(model: PromotedModel, bundle: Bundle): boolean {
  return isSameBundle(model, bundle);
}

function identityOf({ runId, job, window, fingerprint, model }: Identity): Identity {
  return { runId, job, window, fingerprint, model };
}

function entryOf(begun: Begun, state: RunState, details: RunDetails): LedgerEntry {
  return { ...identityOf(begun), recordedAt: new Date().toISOString(), state, host: hostname(), details };
}

function summaryOf(
  { definition: { name } }: Job,
  promotion: Promotion,
  changes: readonly JobChange[],
  [state, run_id]: readonly [PromoteSummary['state'], string | null],
): PromoteSummary {
  return { job: name, run_id, state, ...promotion, changes: changes.map(({ what }) => what) };
}
