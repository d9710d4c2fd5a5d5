import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import type { Query } from '../domain/query.ts';
import { ALONE } from '../domain/sharing.ts';
import type { SliceDetails, SliceOutcome } from '../domain/slice.ts';
import type { StageSeconds } from '../domain/stages.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { observed } from '../observe/observed.ts';
import { begin } from '../run/begin.ts';
import { publishOnce } from '../run/finish.ts';
import type { ActiveRun } from '../run/progress.ts';
import { scoreFrozen } from '../run/score.ts';
import { shown } from '../run/shown.ts';
import type { RunSummary } from '../run/summary.ts';
import { localTime } from '../window/local-time.ts';
import { refuseAging } from './aging.ts';
import { costWarnings } from './cost-warnings.ts';
import { earlierScores, keysOfOtherModels } from './current-rows.ts';
import { firstSlice } from './first-slice.ts';
import { midnightBefore, millis } from './instants.ts';
import { freezeKeys, frozenKeys, goneKeys, keysRun } from './keys.ts';
import { type PlannedSlice, planSlice, type SliceOptions, type SliceSession } from './plan-slice.ts';
import { publishSlice } from './publish-slice.ts';
import { incrementalOf } from './slice-job.ts';

/** Most slices per command: to the end of a batch window, to the last midnight, to the end of the data, and one to spare. */
const MAX_SLICES = 4;

/** The result of a slice. */
export interface SliceSummary {
  readonly run: RunSummary;
  readonly slice: SliceDetails;
  /** Undefined if another process has published the slice. */
  readonly outcome: SliceOutcome | undefined;
  readonly seconds: StageSeconds | undefined;
  readonly warnings: readonly string[];
}

type Summary = Omit<SliceSummary, 'warnings'>;

/**
 * Runs slices up to the end of the data.
 *
 * @throws ScoreBatchError whose kind tells a scheduler what to do; slices before the failed one stay published
 */
export async function runSlices(job: Job, options: SliceOptions, context: Context): Promise<readonly SliceSummary[]> {
  const first = await firstSlice(job, options, context);
  let { session } = first;
  const done: SliceSummary[] = [];
  for (let more = true; more && done.length < MAX_SLICES; ) {
    // The time of a slice starts when the previous one ended.
    const own = done.length > 0 ? { ...context, began: performance.now() } : context;
    if (done.length === 1) session = { ...(await first.next()), options: { ...options, snapshot: false } };
    const planned = done.length > 0 ? await planSlice(session, own) : first.planned;
    const summary = await runSlice(planned, job, own);
    const costs = await costsOf(planned, summary, job);
    for (const cost of costs) (isFirstOfDay(planned) ? context.console.warn : context.console.info)(cost);
    done.push({ ...summary, warnings: [...summary.run.warnings, ...costs] });
    more = planned.more;
  }
  if (incrementalOf(job).shadow !== undefined) await compareWithBatch(job, session, context);
  return done;
}

/** Every slice of a small job costs more than its share, so warn only once a day. */
function isFirstOfDay({ plan, position }: PlannedSlice): boolean {
  return position !== undefined && midnightBefore(plan.slice.details.as_of, plan.window.zone) > position.slice.as_of;
}

/** Warnings about what the slice cost beyond its share of the batch. */
async function costsOf({ plan, position }: PlannedSlice, { seconds, run }: Summary, job: Job): Promise<readonly string[]> {
  const { name, every } = job.definition;
  const { kind, as_of } = plan.slice.details;
  const covered = kind === 'changes' && position ? millis(as_of) - millis(position.slice.as_of) : undefined;
  if (seconds === undefined) return [];
  const slice = { seconds, rows: run.rows?.frozen ?? 0 };
  return await costWarnings({ ledger: plan.ledger, job: name, every, interval: incrementalOf(job).interval, slice, covered });
}

/**
 * Creates the view that people read, and compares with what the batch has published by now. Only a signal makes it fail, since
 * the slices are published.
 */
async function compareWithBatch(job: Job, { sink, ledger }: SliceSession, { console, signal }: Context): Promise<void> {
  try {
    const { ensureView } = await import('../shadow/view.ts');
    const { compareShadow } = await import('../shadow/compare.ts');
    const { describeComparison, describeView } = await import('../shadow/sentences.ts');
    const view = await ensureView(job, sink);
    const said = view && describeView(view);
    if (said !== undefined) console.info(said);
    const { made } = await compareShadow(job, { sink, ledger });
    for (const { comparison, look } of made) {
      const text = `compared with the batch: ${describeComparison(comparison)}`;
      if (comparison.within) console.info(text);
      else console.warn([text, ...look.map((sql) => `query that shows the users: ${sql}`)].join('\n'));
    }
  } catch (error) {
    if (signal.aborted) throw error;
    console.warn(`the comparison with the batch failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function runSlice(planned: PlannedSlice, job: Job, context: Context): Promise<Summary> {
  const { plan, position } = planned;
  const { details } = plan.slice;
  if (details.kind === 'snapshot') await refuseAging(plan, job);
  return await shown(plan, async () => {
    const active = await begin(plan, { fresh: false, skipPublished: false }, context);
    const run = await observed(active, () =>
      publishOnce(active, () => scoreSlice(active, { ...planned, job, lastFull: lastFullOf(details, position) })),
    );
    await dropKeys(active);
    const { slice_outcome: outcome, seconds } = active.progress.details;
    return { run, slice: details, outcome, seconds };
  });
}

function lastFullOf({ kind, as_of }: SliceDetails, position: PlannedSlice['position']): string {
  return kind === 'changes' ? (position?.outcome?.last_full ?? as_of) : as_of;
}

interface SliceWork extends Pick<PlannedSlice, 'plan' | 'position' | 'sources'> {
  readonly job: Job;
  readonly lastFull: string;
}

/** @returns false if another process has published this very slice */
async function scoreSlice(active: ActiveRun, { plan, position, sources, job, lastFull }: SliceWork): Promise<boolean> {
  const { progress, context } = active;
  const { slice } = plan;
  refuseOtherPosition(active, slice.details);
  progress.clock.enter('freeze');
  let rows: FrozenTable | undefined;
  let keys: FrozenTable | undefined;
  const until = localTime(slice.details.as_of, plan.window.zone);
  if (slice.details.kind === 'changes') {
    const more = await keysOfOtherModels(plan, position, incrementalOf(job).rescore_rows);
    keys = await freezeKeys({ plan, runId: progress.runId, sources, more });
    context.console.info(`${counted(keys.rows, 'user')} changed or are due for rescoring, up to ${until}`);
    if (keys.rows > 0) rows = await freezeRows(active, slice.bind(await frozenKeys(plan.source, keys, plan.key)));
  } else {
    context.console.info(`reading all users as of ${until}`);
    rows = await freezeRows(active, plan.query);
  }
  const gone = keys === undefined ? [] : await goneKeys(plan.source, { keys, rows, key: plan.key });
  if (rows !== undefined && rows.rows > 0) {
    const earlier = await earlierScores(active, rows);
    await scoreFrozen({ ...active, plan: { ...plan, slice: { ...slice, earlier } } }, rows, ALONE);
  }
  const before = position?.outcome && { users: position.outcome.users, since: position.recordedAt };
  return await publishSlice(active, slice, { rows, changedKeys: keys?.rows ?? null, gone, before, lastFull });
}

async function freezeRows({ plan, progress }: ActiveRun, query: Query): Promise<FrozenTable> {
  const frozen = await plan.source.freeze(query, {
    ...{ runId: progress.runId, key: plan.key, columns: plan.needed, ...plan.sizing.chunking },
    hash: plan.kinds.source === plan.kinds.sink ? 'native' : 'md5',
  });
  progress.frozen = frozen.id;
  return frozen;
}

/** @throws ScoreBatchError `conflict` if another slice was published after this one was planned */
function refuseOtherPosition({ progress }: ActiveRun, { follows }: SliceDetails): void {
  if ((progress.supersedes?.number ?? null) === follows) return;
  throw new ScoreBatchError('conflict', `another slice was published in the meantime, by run ${progress.supersedes?.runId}`, {
    hint: 'run the same command again: the next slice follows that one',
  });
}

/** Errors are warnings: the table of keys has a deadline. */
async function dropKeys({ plan, progress, context }: ActiveRun): Promise<void> {
  try {
    await plan.source.dropFrozen(keysRun(progress.runId));
  } catch (error) {
    context.console.warn(`could not clean up scratch: ${error instanceof Error ? error.message : String(error)}`);
  }
}
