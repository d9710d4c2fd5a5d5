import { counted, grouped } from '../domain/counted.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { applyGates } from '../domain/gates.ts';
import { type AttemptTally, meanScore } from '../domain/reconciliation.ts';
import type { RunDetails } from '../domain/run-details.ts';
import { batchJob, type SliceOutcome } from '../domain/slice.ts';
import { showTableName } from '../domain/table-name.ts';
import { ScoreBatchError } from '../errors.ts';
import type { SlicePlan } from '../plan/plan.ts';
import type { ActiveRun } from '../run/progress.ts';
import { entryOf } from '../run/progress.ts';
import { reconcile } from '../run/reconcile.ts';
import type { TextRow } from '../warehouse/reader.ts';
import { countTable } from './current-rows.ts';

interface Staged {
  /** Undefined if nothing changed. */
  readonly rows: FrozenTable | undefined;
  /** Distinct keys that changed; null if all users were read. */
  readonly changedKeys: number | null;
  readonly gone: readonly TextRow[];
  /** Users that the previous slice left in the table, and when; undefined if there is none. */
  readonly before: { readonly users: number; readonly since: string } | undefined;
  /** Instant of the last slice of all users. */
  readonly lastFull: string;
}

/**
 * Reconciles staged rows with frozen ones, applies the gates to the current table as it would be, and publishes.
 *
 * @returns false if another process has published this very slice
 * @throws ScoreBatchError `conflict` if another slice was faster, `refused` if a gate fails, or if rows were removed or added
 * outside of slices
 */
export async function publishSlice(active: ActiveRun, slice: SlicePlan, staged: Staged): Promise<boolean> {
  const { plan, progress, context } = active;
  const { clock, runId } = progress;
  const { definition } = plan.job;
  clock.enter('reconcile');
  const reference = plan.bundle.definition.reference?.score;
  const { pinned, rows, rejections, texts, unchanged } =
    staged.rows === undefined
      ? { pinned: [], rows: { frozen: 0, scored: 0, quarantined: 0 }, rejections: [], texts: {}, unchanged: 0 }
      : await reconcile(active, staged.rows, undefined);
  const whole = slice.details.kind !== 'changes';
  progress.rows = rows;
  const { before, after, deleted } = await countTable(active, { pinned, gone: staged.gone, whole, edges: reference?.edges });
  if (!whole) await refuseOtherRows(active, before.users, staged.before);
  const gates = applyGates(
    {
      ...{ pinned, rejections, scoreCounts: reference && after.scoreCounts },
      rows: { frozen: after.users, scored: after.users - after.quarantined, quarantined: after.quarantined },
      // In a slice of one user, a single unknown string would be 100 percent: check slices of all users only.
      texts: whole ? texts : {},
    },
    {
      limits: definition.gates,
      refuseDuplicates: definition.source.duplicates === 'refuse',
      superseded:
        before.users === 0
          ? undefined
          : { frozen: before.users, scored: before.users - before.quarantined, quarantined: before.quarantined },
      previous: undefined,
      reference,
      allowEmpty: false,
    },
  );
  const outcome: SliceOutcome = {
    changed_keys: staged.changedKeys,
    scored: rows.scored - unchanged,
    unchanged,
    quarantined: rows.quarantined,
    deleted,
    users: after.users,
    other_model: after.otherModel,
    last_full: staged.lastFull,
  };
  progress.details = {
    ...progress.details,
    // Required: the newest publication alone determines where the next slice begins.
    slice: slice.details,
    slice_outcome: outcome,
    ...detailsOf(active, { pinned, rejections, warnings: gates.warnings, scorePsi: gates.scorePsi }),
  };
  for (const warning of gates.warnings) context.console.warn(warning);
  if (gates.refusals.length > 0) {
    progress.details = { ...progress.details, refused_by: gates.refusals };
    throw new ScoreBatchError('refused', 'the current table would violate a gate of the job file', {
      details: gates.refusals.map(({ message }) => message),
      hint: 'nothing was changed, and the position did not move; the next slice reads the same changes again',
    });
  }
  context.console.info(`publishing ${counted(rows.scored, 'score')} as run ${runId}`);
  clock.enter('publish');
  const mine = await plan.sink.publish({
    entry: entryOf(active, 'published', progress.details),
    supersedes: progress.supersedes,
    ...{ history: 0, rolledBack: undefined, overlaps: [], sharedTables: false, segments: [], reported: false },
    ...{ pinned, tables: plan.tables, key: plan.key, keep: plan.keep, bands: definition.score.bands, scored: rows.scored },
    current: {
      ...{ whole, gone: staged.gone, asOf: slice.details.as_of },
      ...(slice.boundary && slice.details.boundary && { boundary: { table: slice.boundary, end: slice.details.boundary } }),
    },
  });
  if (mine) progress.state = 'published';
  return mine;
}

/** Refuses a table whose number of users was changed from outside: changed keys do not cover users whose rows were removed. */
async function refuseOtherRows({ plan }: ActiveRun, users: number, before: Staged['before']): Promise<void> {
  const { ledger, job, tables } = plan;
  const { users: expected, since } = before ?? {};
  if (expected === undefined || since === undefined || users === expected) return;
  const table = showTableName(tables.scores.name);
  const erasures = await ledger.entries({ job: batchJob(job.definition.name), states: ['erased'] });
  const erased = erasures
    .filter(({ recordedAt }) => recordedAt > since)
    .reduce((sum, { details }) => sum + (details.erasure?.rows[table] ?? 0), 0);
  // An erased user who was already deleted counts as an erased row, but was not among the users.
  if (users < expected && expected - users <= erased) return;
  throw new ScoreBatchError(
    'refused',
    `${table} has ${counted(users, 'user')}, but the previous slice left ${grouped(expected)}: somebody changed, dropped or replaced the table`,
    { hint: 'score all users again with `score-batch --slice --snapshot`' },
  );
}

function detailsOf(
  { plan, progress: { clock } }: ActiveRun,
  {
    pinned,
    rejections,
    warnings,
    scorePsi,
  }: Pick<RunDetails, 'warnings'> & {
    readonly pinned: readonly AttemptTally[];
    readonly rejections: RunDetails['rejections'];
    readonly scorePsi: number | undefined;
  },
): RunDetails {
  const scorer = pinned.find(({ facts }) => facts !== undefined)?.facts?.scorer;
  return {
    ...(rejections && { rejections }),
    ...(warnings && { warnings }),
    mean_score: meanScore(pinned) ?? null,
    score_psi: scorePsi ?? null,
    time_zone: plan.window.zone,
    ...(scorer && { scorer }),
    // Needed to find users in the table by their key.
    ...{ table: plan.tables.scores.name, columns: plan.tables.scores.columns },
    seconds: clock.seconds,
  };
}
