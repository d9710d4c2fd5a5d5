import type { Context } from '../context.ts';
import type { PublishedClasses } from '../domain/class-columns.ts';
import type { Execution } from '../domain/execution.ts';
import { currentPublication } from '../domain/ledger.ts';
import type { Query } from '../domain/query.ts';
import type { RecordedBasis } from '../domain/recorded-basis.ts';
import { replacedTables } from '../domain/replaced-tables.ts';
import type { SliceDetails } from '../domain/slice.ts';
import { type TableLayout, type Tables, tablesOf } from '../domain/tables.ts';
import type { Window } from '../domain/window.ts';
import { type Baseline, readBaseline } from '../explain/baseline.ts';
import { type Fingerprinted, fingerprintOf } from '../job/fingerprint.ts';
import type { Job } from '../job/load.ts';
import { bindWindow } from '../job/parameters.ts';
import type { Bundle } from '../model/bundle.ts';
import type { ReportFile } from '../report/place.ts';
import type { Reserved } from '../report/reserved.ts';
import { type Sizing, sizeRun } from '../sizing/run-sizing.ts';
import type { Stages } from '../terminal/live.ts';
import { type AsOf, columnsOfThen, rowsOfThen } from './as-of.ts';
import { basisOf } from './basis.ts';
import { tryModel } from './canary.ts';
import { type Challenger, championDefinition, loadChallenger, planChallenger } from './challenger.ts';
import {
  checkDraft,
  estimateBytes,
  type Phase,
  phasesOf,
  refuseDifferentTables,
  refuseMissingReference,
  refuseNoParameter,
  withoutFreeze,
} from './checks.ts';
import { planClasses } from './classes.ts';
import { type ChosenColumns, chooseColumns, eachOnce } from './columns.ts';
import { checkEventTables } from './event-tables.ts';
import { type DriftPlan, planDrift, refuseUnmeasured } from './feature-drift.ts';
import { loadJobBundle } from './job-bundle.ts';
import { isRegistered } from './located-job.ts';
import { type PublishedBefore, publishedBefore } from './publications.ts';
import { planReport } from './report-files.ts';
import { planTap, type TapPlan } from './tap.ts';
import { planVersions, type VersionOptions } from './versions.ts';
import { openWarehouses, reservedFiles, tableNames, type Warehouses } from './warehouses.ts';

export interface PlanOptions extends VersionOptions {
  readonly requireGpu: boolean;
  readonly workers: number | undefined;
  /** The part of a run that this process does. Only its needs are checked. */
  readonly phase: 'all' | Phase;
  /** Replace a report file that this job did not write; false by default. */
  readonly force?: boolean | undefined;
  /** Replace publications of overlapping windows; false by default. */
  readonly replaceOverlapping?: boolean | undefined;
  /** Id of the run whose kept rows are scored, instead of the query's present rows. */
  readonly asOf?: string | undefined;
}

/** Everything known about a run before any row moves. */
export interface Plan
  extends ChosenColumns,
    PublishedBefore,
    Pick<Warehouses, 'source' | 'sink' | 'ledger' | 'kinds' | 'sourceAccess' | 'stores'> {
  readonly job: Job;
  readonly window: Window;
  readonly query: Query;
  readonly bundle: Bundle;
  /** Set if every class is published; its columns are the last ones of `keep`. */
  readonly classes?: PublishedClasses | undefined;
  /** Where the model runs; undefined if this process scores nothing. */
  readonly execution: Execution | undefined;
  readonly tables: Tables;
  /** Rows that the highest scores are compared with in order to explain them; undefined if the job has no reasons. */
  readonly baseline: Baseline | undefined;
  /** Identity of the source database, see `Source.identity`. */
  readonly identity: string;
  readonly fingerprint: string;
  /** What the run is made from, for the ledger; undefined if this process does not begin it. */
  readonly basis: RecordedBasis | undefined;
  /** Whether report and summary tables include this kind of window. */
  readonly reported: boolean;
  /** The files of the window's report; empty if the job writes none. */
  readonly reportFiles: readonly ReportFile[];
  /** Files and folders that the report must never replace. */
  readonly reserved: readonly Reserved[];
  /** Whether the report may replace files that this job did not write. */
  readonly force: boolean;
  readonly requireGpu: boolean;
  readonly sizing: Sizing;
  /** How rows are scored as the query returns them; undefined if they are frozen first. */
  readonly tap: TapPlan | undefined;
  /** Features whose drift is measured; undefined if none is. */
  readonly drift: DriftPlan | undefined;
  /** The second model for the same rows; undefined if the job has none. */
  readonly challenger?: Challenger | undefined;
  /** Bytes that the query will read; undefined if the source cannot estimate them. */
  readonly estimatedBytes: number | undefined;
  /** Shows the stages of the window's run. */
  readonly stages: Stages;
  /** What the run reads and changes; set for a slice. */
  readonly slice?: SlicePlan | undefined;
  /** An earlier run's rows, if scored instead of the query's. */
  readonly asOf?: AsOf | undefined;
}

/** The part of a plan that only slices have. */
export interface SlicePlan {
  readonly details: SliceDetails;
  /** The job's query as of the slice, for users whose keys are in a relation. @param relation FROM clause without alias */
  readonly bind: (relation: string) => Query;
  /** The query for all users as of another instant, ISO string with microseconds. */
  readonly bindAt: (asOf: string) => Query;
  /** Where to copy the rows, if the slice ends at the end of a window of the batch. */
  readonly boundary: TableLayout | undefined;
  /** Parquet file with the current table's scores; see `SliceSetup`. */
  readonly earlier?: string | undefined;
}

/**
 * Plans a run, and checks everything that can be refused before any row moves.
 *
 * @throws ScoreBatchError of the kind that fits: `configuration`, `unavailable` if the source is not ready, …
 */
export async function makePlan(job: Job, window: Window, options: PlanOptions, context: Context): Promise<Plan> {
  const stages = context.console.live.stages(window.label);
  stages.enter('plan', context.began);
  try {
    const planning = { context, stages };
    if (!isRegistered(job)) return await planRun(job, window, options, planning);
    const warehouses = await openWarehouses(job, context);
    const planWith = (located: Job) => planRun(located, window, options, { ...planning, warehouses });
    return await planVersions(
      job,
      window,
      { ...options, resumes: options.phase !== 'aside', joins: options.phase === 'score' || options.phase === 'publish' },
      { context, warehouses, planWith },
    );
  } finally {
    stages.pause();
  }
}

interface Planning {
  readonly context: Context;
  readonly stages: Stages;
  /** Already open. */
  readonly warehouses?: Warehouses;
}

async function planRun(job: Job, window: Window, options: PlanOptions, planning: Planning): Promise<Plan> {
  const { context, stages } = planning;
  const phases = phasesOf(options.phase);
  const query = bindWindow(job.query, window, job.queryName, job.kind);
  refuseNoParameter(query, job.queryName);
  const bundle = await loadJobBundle(job);
  const loaded = await loadChallenger(job);
  const definition = championDefinition(job.definition, bundle, loaded);
  refuseMissingReference(job, bundle);
  refuseUnmeasured(job, bundle);
  const classes = planClasses(definition, bundle);
  const baseline = definition.score.reasons && (await readBaseline(bundle));
  const requireGpu = options.requireGpu || definition.score.require_gpu;
  const served = phases.has('score') ? await tryModel(bundle, definition.score, requireGpu) : undefined;
  const execution = served?.execution;
  const warehouses = planning.warehouses ?? (await openWarehouses(job, context));
  const { source, sink, kinds, ledger, sourceAccess, stores } = warehouses;
  await using _reading = warehouses.readTogether();
  const sizing = sizeRun(definition, bundle, {
    workers: options.workers ?? (definition.score.workers === 'auto' ? undefined : definition.score.workers),
    execution,
    kinds,
    maxMemory: context.maxMemory,
  });
  const asOf = options.asOf === undefined ? undefined : await rowsOfThen(options.asOf, { definition, window, source, ledger });
  if (asOf === undefined) await checkEventTables(job, source);
  const schema = asOf?.frozen.columns ?? (await source.describe(query));
  const columns = asOf ? columnsOfThen(asOf, definition, bundle) : chooseColumns(definition, schema, bundle);
  const published = { ...columns, keep: [...columns.keep, ...(classes?.columns ?? [])] };
  const identity = await source.identity();
  const challenger = planChallenger(loaded, job.definition, schema);
  const reads = (phases.has('freeze') || phases.has('aside')) && asOf === undefined;
  const estimatedBytes = reads ? await estimateBytes(source, query) : undefined;
  const tables = tablesOf(tableNames(definition), {
    ...published,
    scoreColumn: definition.score.column,
    layout: definition.sink.layout,
    reasons: definition.score.reasons?.features,
    holdout: definition.report.holdout !== undefined,
  });
  const draft = { job, window, source, sink, kinds, tables, estimatedBytes, console: context.console };
  await checkDraft(draft, asOf ? withoutFreeze(phases) : phases);
  const { name, version } = bundle.definition;
  const before = await publishedBefore(ledger, {
    definition,
    window,
    model: { name, version, digest: bundle.digest },
    replaceOverlapping: options.replaceOverlapping ?? false,
    checkGates: phases.has('freeze') || phases.has('publish'),
  });
  const replaces = before.overlaps.length > 0 || currentPublication(before.entries) !== undefined;
  if (replaces && definition.sink.history > 0 && (phases.has('freeze') || phases.has('publish')))
    await refuseDifferentTables({ sink, tables: replacedTables(tables) });
  const alone = options.phase === 'all' || options.phase === 'aside';
  const tap = asOf ? undefined : await planTap({ definition, bundle, query, columns, source, sink, sizing, served, alone });
  const reserved = reservedFiles(job, warehouses.files);
  const reported = window.kind === definition.every;
  const force = options.force === true;
  const files = await planReport({ ...{ job, window, reserved, before, stores, force }, writes: phases.has('publish') });
  const fingerprinted: Fingerprinted = {
    query,
    source: identity,
    columns: columns.needed,
    definition: { ...definition, score: { ...definition.score, require_gpu: requireGpu } },
    bundle,
    hashKey: definition.sink.quarantine_values === 'hash' ? context.environment.SCORE_BATCH_HASH_KEY : undefined,
    asOf: asOf && { run_id: asOf.frozen.runId, frozen: asOf.frozen.id },
  };
  return {
    ...{
      job,
      window,
      query,
      bundle,
      baseline,
      execution,
      source,
      sink,
      kinds,
      sourceAccess,
      ledger,
      tables,
      identity,
      reserved,
      stores,
      force,
    },
    ...published,
    classes,
    // The fingerprint covers only the champion's columns, so adding or removing a challenger restarts no run.
    needed: eachOnce([...columns.needed, ...(challenger?.features ?? [])]),
    ...before,
    fingerprint: fingerprintOf(fingerprinted),
    basis: phases.has('freeze') ? await basisOf(fingerprinted) : undefined,
    reported,
    drift: planDrift(definition, bundle, columns, reported),
    reportFiles: files,
    ...{ requireGpu, estimatedBytes, sizing, tap, challenger, asOf, stages },
  };
}
