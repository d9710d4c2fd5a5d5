import path from 'node:path';
import type { Context } from '../context.ts';
import { showBytes } from '../domain/cost.ts';
import { counted, grouped } from '../domain/counted.ts';
import type { Execution } from '../domain/execution.ts';
import { fixedBatch } from '../domain/model-metadata.ts';
import type { Query } from '../domain/query.ts';
import { type Tables, tablesOf } from '../domain/tables.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import { fingerprintOf } from '../job/fingerprint.ts';
import type { Job } from '../job/load.ts';
import { bindWindow } from '../job/parameters.ts';
import type { JobDefinition } from '../job/schema.ts';
import { type Bundle, loadBundle } from '../model/bundle.ts';
import { type Served, serve } from '../model/serve.ts';
import { refuseForeign, reportFile } from '../report/place.ts';
import { type Reserved, refuseReserved } from '../report/reserved.ts';
import { type Sizing, sizeRun } from '../sizing/run-sizing.ts';
import { canEstimate, type Ledger, type Warehouse, type WarehouseAccess } from '../warehouse/warehouse.ts';
import { type ChosenColumns, chooseColumns } from './columns.ts';
import { type PublishedBefore, publishedBefore, refuseOtherJobs } from './publications.ts';
import { planTap, type TapPlan } from './tap.ts';
import { openWarehouses, readTogether, reservedFiles, tableNames } from './warehouses.ts';

/** Rows of the canary on a GPU where the job leaves the size of a batch to us: about what a run takes. */
const CANARY_ROWS = 8_192;

export interface PlanOptions {
  readonly requireGpu: boolean;
  readonly workers: number | undefined;
  /** The part of a run that this process will do; what the other parts need was looked at by theirs. */
  readonly phase: 'all' | 'freeze' | 'score' | 'publish';
  /** Whether a report file may be replaced that this job did not write; false by default. */
  readonly force?: boolean | undefined;
  /** Whether publications of overlapping windows may be replaced; false by default. */
  readonly replaceOverlapping?: boolean | undefined;
}

/** All that is known of a run before a row moves. */
export interface Plan extends ChosenColumns, PublishedBefore {
  readonly job: Job;
  readonly window: Window;
  readonly query: Query;
  readonly bundle: Bundle;
  /** Where the model runs here; undefined where this process scores nothing. */
  readonly execution: Execution | undefined;
  readonly source: Warehouse;
  readonly sink: Warehouse;
  readonly sourceAccess: WarehouseAccess;
  readonly ledger: Ledger;
  readonly tables: Tables;
  /** Of the source database, see `Source.identity`. */
  readonly identity: string;
  readonly fingerprint: string;
  /** Whether report and summary tables take this kind of window. */
  readonly reported: boolean;
  /** Absolute path of the window's report file, where the job has one. */
  readonly reportFile: string | undefined;
  /** What the report file must never replace. */
  readonly reserved: readonly Reserved[];
  readonly requireGpu: boolean;
  readonly sizing: Sizing;
  /** How the rows are scored on their way out of the query; undefined where they are frozen first. */
  readonly tap: TapPlan | undefined;
  /** Bytes that the query will read, where the source can tell. */
  readonly estimatedBytes: number | undefined;
}

/**
 * Checks everything that can be refused before a row moves.
 *
 * @throws ScoreBatchError of the kind that fits: configuration, unavailable where the source is not ready, …
 */
export async function makePlan(job: Job, window: Window, options: PlanOptions, context: Context): Promise<Plan> {
  const { definition } = job;
  const query = bindWindow(job.query, window, job.queryName, job.kind);
  if (query.parameters.length === 0) {
    throw new ScoreBatchError(
      'configuration',
      `${job.queryName} uses no window parameter, so every window would have the same rows`,
      {
        hint: 'filter by :window_start_date and :window_end_date, or by :window_start and :window_end',
      },
    );
  }
  const bundle = await loadBundle(path.resolve(job.root, definition.model));
  if (definition.gates.max_score_psi !== undefined && bundle.definition.reference?.score === undefined) {
    throw new ScoreBatchError(
      'configuration',
      `gates.max_score_psi is set and the bundle ${bundle.folder} has no reference to compare with`,
      {
        hint: 'add reference.score to model.yaml (the scores of the training or validation rows), or drop the gate',
      },
    );
  }
  const requireGpu = options.requireGpu || definition.score.require_gpu;
  const [freezes, scores, publishes] = (['freeze', 'score', 'publish'] as const).map(
    (phase) => options.phase === 'all' || options.phase === phase,
  );
  const served = scores ? await tryModel(bundle, definition.score, requireGpu) : undefined;
  const execution = served?.execution;
  const { source, sink, sourceAccess } = await openWarehouses(job, context);
  await using _reading = readTogether({ source, sink });
  const sizing = sizeRun(definition, bundle, {
    workers: options.workers ?? (definition.score.workers === 'auto' ? undefined : definition.score.workers),
    execution,
    kinds: [source.kind, sink.kind],
    environment: context.environment,
  });
  const schema = await source.source.describe(query);
  const identity = await source.source.identity();
  const estimatedBytes = freezes ? await refuseCost(job, query, source, context) : undefined;
  const columns = chooseColumns(definition, schema, bundle);
  const tables = tablesOf(tableNames(definition), columns.key, columns.keep, definition.score.column, definition.sink.layout);
  if (freezes || publishes) {
    await refuseDifferentTables(sink, tables);
    await refuseOtherJobs(sink.sink, definition, tables);
  }
  if (freezes) await refuseUnready(job, window, source);
  const ledger = sink.ledger(tables.ledger);
  const { name, version } = bundle.definition;
  const before = await publishedBefore(ledger, {
    definition,
    window,
    model: { name, version, digest: bundle.digest },
    replaceOverlapping: options.replaceOverlapping ?? false,
    checkGates: Boolean(freezes || publishes),
  });
  const tap = await planTap({
    definition,
    bundle,
    query,
    columns,
    source,
    sink,
    sizing,
    served,
    alone: options.phase === 'all',
  });
  const { csv } = definition.report;
  const file = csv === undefined ? undefined : reportFile(csv, window, job.root);
  const reserved = reservedFiles(job, { source, sink });
  if (file !== undefined) await refuseReserved(file, reserved);
  if (file !== undefined && publishes && options.force !== true)
    await refuseForeign(file, job.root, [...before.entries, ...before.overlaps]);
  return {
    job,
    window,
    query,
    bundle,
    execution,
    source,
    sink,
    sourceAccess,
    ledger,
    tables,
    ...columns,
    identity,
    fingerprint: fingerprintOf({
      query,
      source: identity,
      columns: columns.needed,
      definition: { ...definition, score: { ...definition.score, require_gpu: requireGpu } },
      bundle,
      hashKey: definition.sink.quarantine_values === 'hash' ? context.environment.SCORE_BATCH_HASH_KEY : undefined,
    }),
    reported: window.kind === definition.every,
    reportFile: file,
    reserved,
    ...before,
    requireGpu,
    estimatedBytes,
    sizing,
    tap,
  };
}

/** Loads the model once on this thread and scores the golden rows: it is refused here and not by every worker. */
async function tryModel(bundle: Bundle, score: JobDefinition['score'], requireGpu: boolean): Promise<Served> {
  const { providers, batch_rows: configured } = score;
  const served = await serve(bundle, {
    providers,
    requireGpu,
    batchRows: configured === 'auto' ? CANARY_ROWS : configured,
  });
  const fixed = fixedBatch(served.metadata);
  if (fixed === undefined || configured === 'auto' || configured === fixed) return served;
  throw new ScoreBatchError(
    'configuration',
    `${bundle.file} takes exactly ${counted(fixed, 'row')} at a time, and score.batch_rows is ${grouped(configured)}`,
    {
      hint: 'leave score.batch_rows out, the last batch is filled up; or export the model with a dynamic first dimension, which is faster',
    },
  );
}

async function refuseDifferentTables(sink: Warehouse, tables: Tables): Promise<void> {
  const details = await sink.sink.differences(tables);
  if (details.length === 0) return;
  throw new ScoreBatchError('configuration', 'a table that is there does not have the columns that this job publishes', {
    details,
    hint: 'name another table, rename the old one, or alter it yourself; score-batch never does',
  });
}

/** @returns bytes that the query will read, where the source can tell */
async function refuseCost(
  { definition }: Job,
  query: Query,
  { kind, source }: Warehouse,
  { console }: Context,
): Promise<number | undefined> {
  const { max_bytes: limit } = definition.source;
  if (!canEstimate(source)) {
    if (limit !== undefined) console.warn(`source.max_bytes guards nothing here: ${kind} does not tell what a query will read`);
    return undefined;
  }
  const bytes = await source.estimate(query);
  if (limit === undefined || bytes <= limit) return bytes;
  throw new ScoreBatchError(
    'refused',
    `the query would read ${showBytes(bytes)}, and source.max_bytes is ${showBytes(limit)}`,
    {
      hint: 'filter by the column that partitions the table, select fewer columns, or raise the limit',
    },
  );
}

async function refuseUnready({ definition, kind }: Job, window: Window, { source }: Warehouse): Promise<void> {
  const { ready } = definition.source;
  if (ready === undefined || (await source.ready(bindWindow(ready, window, 'source.ready', kind)))) return;
  throw new ScoreBatchError('unavailable', `the source is not ready for ${window.label}: source.ready is not true yet`, {
    details: [ready.trim()],
    hint: 'start again when the load into the source has finished; a scheduler should retry',
  });
}
