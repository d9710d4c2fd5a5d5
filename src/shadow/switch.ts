import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { counted } from '../domain/counted.ts';
import type { LedgerEntry, LedgerWindow } from '../domain/ledger.ts';
import type { ShadowSwitch, ShadowTarget } from '../domain/shadow.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { sessionUser } from '../warehouse/session-user.ts';
import { batchWindows } from './batch-windows.ts';
import type { ShadowWarehouses } from './compare.ts';
import { shadowEvidence, switchRefusals } from './evidence.ts';
import { demandShadow, type ShadowSpec } from './spec.ts';
import { ensureView } from './view.ts';

export interface SwitchOptions {
  readonly to: ShadowTarget;
  readonly reason: string | null;
  /** Switch whatever the comparisons say. */
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** The output of `promote --shadow --json` and `rollback --shadow --json`. */
export interface SwitchSummary extends ShadowSwitch {
  readonly job: string;
  /** Where the view takes its rows from now, or would take them from. */
  readonly reads: ShadowTarget;
  readonly view: string;
  readonly state: 'switched' | 'would switch' | 'already switched';
  /** Run id of the ledger entry; null if there is none. */
  readonly run_id: string | null;
}

/** The same window for all entries of this kind, whatever the job file says, so that they can be read together. */
const ALWAYS = { start: '1970-01-01T00:00:00.000Z', end: '9999-12-31T00:00:00.000Z', kind: 'ad hoc' } as const;

/**
 * Switches what people read to the current table, or back to the batch, by a ledger entry that the view reads. Does nothing if
 * they already read it.
 *
 * @throws ScoreBatchError `refused` if the comparisons do not allow it, `configuration` without a shadow or if the view cannot
 * be created
 */
export async function switchShadow(
  job: Pick<Job, 'definition'>,
  { sink, ledger }: ShadowWarehouses,
  options: SwitchOptions,
): Promise<SwitchSummary> {
  const spec = demandShadow(job.definition);
  const { to, reason, force, dryRun } = options;
  const before = (await ledger.entries({ job: spec.slices, states: ['switched'] })).at(-1);
  if (readsNow(before) === to) return summaryOf(spec, to, 'already switched', before);
  const slices = await ledger.entries({ job: spec.slices });
  const evidence = shadowEvidence(slices);
  const windows = batchWindows(await ledger.entries({ job: spec.job }), job.definition);
  const zone = job.definition.time_zone;
  const refusals = to === 'batch' ? [] : switchRefusals({ spec, evidence, slices, windows, zone, now: Date.now() });
  if (refusals.length > 0 && !force) throw refused(spec, refusals);
  const known = slices.findLast(({ state }) => state === 'published') ?? before ?? windows.at(-1)?.published;
  if (known === undefined) throw nothingThere(spec);
  const made: ShadowSwitch = {
    ...{ reason, user: (await sessionUser(sink)) ?? null, windows: to === 'batch' ? [] : evidence.inRow },
    ...{ forced: refusals.length > 0, refusals },
  };
  const entry = entryOf(spec, { label: to, ...ALWAYS }, known, made);
  if (dryRun) return { ...summaryOf(spec, to, 'would switch', entry), run_id: null };
  if (to === 'current') await demandView(job, spec, sink);
  const other = await ledger.decide<LedgerEntry | undefined>({ job: spec.slices, window: ALWAYS }, async (entries) => {
    const last = entries.findLast(({ state }) => state === 'switched');
    return readsNow(last) === to ? { result: last } : { append: entry, result: undefined };
  });
  return other === undefined ? summaryOf(spec, to, 'switched', entry) : summaryOf(spec, to, 'already switched', other);
}

function readsNow(newest: LedgerEntry | undefined): string {
  return newest?.window.label ?? 'batch';
}

async function demandView(job: Pick<Job, 'definition'>, spec: ShadowSpec, sink: ShadowWarehouses['sink']): Promise<void> {
  const view = await ensureView(job, sink);
  if (view?.state !== 'waiting') return;
  throw new ScoreBatchError(
    'configuration',
    `the view ${spec.view.join('.')} needs ${view.missing.join(', ')}, which is missing`,
    {
      hint: 'run a slice and a window of the batch first',
    },
  );
}

function entryOf(
  spec: ShadowSpec,
  window: LedgerWindow,
  { model }: Pick<LedgerEntry, 'model'>,
  made: ShadowSwitch,
): LedgerEntry {
  const runId = `switch-${randomBytes(6).toString('hex')}`;
  return {
    ...{ recordedAt: new Date().toISOString(), host: hostname(), runId, job: spec.slices, window, state: 'switched', model },
    // Unique to this entry, so that no run is mistaken for it.
    fingerprint: createHash('sha256').update(runId).digest('hex'),
    details: { switch: made },
  };
}

function summaryOf(
  { job, view }: ShadowSpec,
  reads: ShadowTarget,
  state: SwitchSummary['state'],
  entry: LedgerEntry | undefined,
): SwitchSummary {
  const none: ShadowSwitch = { reason: null, user: null, windows: [], forced: false, refusals: [] };
  return { job, reads, view: view.join('.'), state, run_id: entry?.runId ?? null, ...(entry?.details.switch ?? none) };
}

function refused({ job, shadow }: ShadowSpec, details: readonly string[]): ScoreBatchError {
  const needed = counted(shadow.comparisons, 'comparison');
  return new ScoreBatchError(
    'refused',
    `the view of ${job} was not switched to the current table: that takes ${needed} in a row within limits`,
    {
      details,
      hint: 'run slices, and `score-batch compare --shadow` after each window of the batch; to switch anyway, use --force --reason "…"',
    },
  );
}

function nothingThere({ job }: ShadowSpec): ScoreBatchError {
  return new ScoreBatchError('refused', `${job} has published neither a slice nor a window`, {
    hint: 'run a window of the batch and a slice first',
  });
}
