import { createHash } from 'node:crypto';
import type { Context } from '../context.ts';
import { boundaryLayout, currentLayout } from '../domain/current-table.ts';
import { ledgerWindow } from '../domain/ledger.ts';
import type { Query } from '../domain/query.ts';
import type { SliceDetails } from '../domain/slice.ts';
import { ledgerLayout, tablesOf } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import { bindSlice, type ChangedKeys } from '../job/changed-keys.ts';
import { fingerprintOf } from '../job/fingerprint.ts';
import type { Job } from '../job/load.ts';
import type { Bundle } from '../model/bundle.ts';
import { tryModel } from '../plan/canary.ts';
import { checkDraft, phasesOf, refuseMissingReference } from '../plan/checks.ts';
import { type ChosenColumns, chooseColumns } from '../plan/columns.ts';
import { loadJobBundle } from '../plan/job-bundle.ts';
import type { Plan, SlicePlan } from '../plan/plan.ts';
import { openWarehouses, tableNames, type Warehouses } from '../plan/warehouses.ts';
import { sizeRun } from '../sizing/run-sizing.ts';
import { asOfOf, changeSources } from './changes/declared.ts';
import type { ChangeSource } from './changes/source.ts';
import { microText } from './instants.ts';
import { nextSlice } from './next.ts';
import { type Position, positionOf, unfinishedSlice } from './position.ts';
import { incrementalOf, sliceJob, sliceWindow } from './slice-job.ts';

export interface SliceOptions {
  /** Read all users, whatever changed. */
  readonly snapshot: boolean;
  readonly requireGpu: boolean;
  readonly workers: number | undefined;
}

/** What stays open between the slices of one command. */
export interface SliceSession extends Pick<Warehouses, 'source' | 'sink' | 'ledger' | 'kinds' | 'sourceAccess' | 'stores'> {
  readonly job: Job;
  readonly bundle: Bundle;
  readonly served: Awaited<ReturnType<typeof tryModel>>;
  readonly options: SliceOptions;
}

/** Opens the job's warehouses and tries its model, once for all slices of a command. @param job with located models */
export async function openSlices(job: Job, options: SliceOptions, context: Context): Promise<SliceSession> {
  const bundle = await loadJobBundle(job);
  refuseMissingReference(job, bundle);
  const { score } = job.definition;
  const served = await tryModel(bundle, score, options.requireGpu || score.require_gpu);
  const { source, sink, ledger, kinds, sourceAccess, stores } = await openWarehouses(job, context);
  return { job, bundle, served, options, source, sink, ledger, kinds, sourceAccess, stores };
}

/** A planned slice, and where the previous one ended. */
export interface PlannedSlice {
  readonly plan: Plan & { readonly slice: SlicePlan };
  readonly position: Position | undefined;
  readonly sources: readonly ChangeSource[];
  /** Whether there is more data after the slice. */
  readonly more: boolean;
}

/**
 * Plans the slice after the newest one, or the unfinished one with its recorded spans.
 *
 * @throws ScoreBatchError `configuration` if the query's shape differs from that of earlier slices, `refused` if a change
 * source cannot be read from the position; both suggest a full snapshot
 */
export async function planSlice(session: SliceSession, context: Context): Promise<PlannedSlice> {
  const { bundle, served, source, sink, ledger, kinds, sourceAccess, stores, options } = session;
  const job = sliceJob(session.job);
  const { definition } = job;
  const window = sliceWindow(session.job);
  const stages = context.console.live.stages(window.label);
  stages.enter('plan', context.began);
  try {
    const entries = await ledger.entries({ job: definition.name, window: ledgerWindow(window) });
    const position = positionOf(entries);
    const bind = binder(session.job);
    // The columns are the same for any instant.
    const anytime = bind(microText(window.start.getTime()), definition.source.key, undefined);
    const columns = chooseColumns(definition, await source.describe(anytime), bundle);
    const keyNames = columns.key.map(({ name }) => source.dialect.identifier(name));
    const shape = shapeOf(session.job, columns, bundle);
    if (!options.snapshot) refuseOtherShape(position, shape, bundle);
    const sources = await findSources(session, columns.key);
    const { details, more, warnings } = await detailsOf(session, { position, entries, shape, sources });
    for (const warning of warnings) context.console.warn(warning);
    const query = bind(details.as_of, keyNames, undefined);
    const requireGpu = options.requireGpu || definition.score.require_gpu;
    const sizing = sizeRun(definition, bundle, {
      ...{ workers: options.workers, execution: served.execution, kinds, maxMemory: context.maxMemory },
    });
    const names = tableNames(definition);
    const own = { ...columns, scoreColumn: definition.score.column };
    const { quarantine } = tablesOf(names, own);
    const tables = {
      scores: currentLayout(names.scores, own),
      quarantine,
      ledger: ledgerLayout(names.ledger),
      ...{ report: undefined, summary: undefined, drift: undefined },
    };
    await checkDraft(
      { job, window, source, sink, kinds, tables, estimatedBytes: undefined, console: context.console },
      phasesOf('publish'),
    );
    const identity = await source.identity();
    const fingerprinted = {
      ...{ query, source: identity, columns: columns.needed, bundle, asOf: undefined, slice: details },
      definition: { ...definition, score: { ...definition.score, require_gpu: requireGpu } },
      hashKey: definition.sink.quarantine_values === 'hash' ? context.environment.SCORE_BATCH_HASH_KEY : undefined,
    };
    const slice: SlicePlan = {
      details,
      bind: (relation) => bind(details.as_of, keyNames, { relation, columns: keyNames }),
      bindAt: (asOf) => bind(asOf, keyNames, undefined),
      boundary: details.boundary === null ? undefined : boundaryLayout(names.scores, own),
    };
    return {
      plan: {
        ...{ job, window, query, bundle, execution: served.execution, source, sink, kinds, sourceAccess, ledger, tables },
        ...{ identity, entries, sizing, requireGpu, stages, slice, ...columns },
        ...{ baseline: undefined, tap: undefined, drift: undefined, challenger: undefined, asOf: undefined },
        ...{
          reported: false,
          reportFiles: [],
          reserved: [],
          stores,
          force: false,
          overlaps: [],
          last: undefined,
          estimatedBytes: undefined,
        },
        modelChanged: undefined,
        fingerprint: fingerprintOf(fingerprinted),
        // There are many slices, and their bases are never compared.
        basis: undefined,
      },
      ...{ position, sources, more },
    };
  } finally {
    stages.pause();
  }
}

type Bind = (asOf: string, key: readonly string[], changed: ChangedKeys | undefined) => Query;

/** Binds the job's query as of an instant, for users whose keys are in a relation, or for all users. */
function binder({ query, queryName, kind, definition }: Job): Bind {
  const { time_zone: zone } = definition;
  const { since } = incrementalOf({ definition });
  return (asOf, key, changed) => bindSlice(query, { name: queryName, kind, zone, since, asOf, key, changed });
}

/** The change sources, after checking the columns of their tables. */
async function findSources({ job, source }: SliceSession, key: ChosenColumns['key']): Promise<ChangeSource[]> {
  const found: ChangeSource[] = [];
  for (const declared of changeSources(job.definition, job.kind)) {
    const table = await source.describe({ name: declared.name, texts: [declared.columns], parameters: [] });
    found.push(declared.found(table, key));
  }
  return found;
}

interface Known {
  readonly position: Position | undefined;
  readonly entries: Parameters<typeof positionOf>[0];
  readonly shape: string;
  readonly sources: readonly ChangeSource[];
}

async function detailsOf(session: SliceSession, { position, entries, shape, sources }: Known) {
  const { job, options } = session;
  const { definition } = job;
  const { refresh, reconcile, shadow } = incrementalOf(job);
  const unfinished = unfinishedSlice(entries, position);
  if (unfinished !== undefined && unfinished.shape === shape && (!options.snapshot || unfinished.kind === 'snapshot'))
    return { details: unfinished, more: true, warnings: [] };
  const from = options.snapshot ? undefined : position;
  const before = new Map(from?.slice.spans.map((span) => [span.source, span.to]));
  const bounds = await boundsOf(session, sources, before);
  const open = bounds.map(({ changes, start, row }) => changes.span(row, start));
  const end = asOfOf(open);
  if (end === undefined) {
    throw new ScoreBatchError('unavailable', `${sources.map(({ name }) => name).join(' and ')} have no rows yet`, {
      hint: 'run the same command again when the first changes have arrived',
    });
  }
  const next = nextSlice(from?.slice.as_of, end, {
    ...{ every: definition.every, zone: definition.time_zone },
    ...{ daily: refresh !== undefined || reconcile !== undefined, shadow: shadow !== undefined },
  });
  const spans = bounds.map(({ changes, start, row }) => changes.span(row, start, { cap: next.asOf }).span);
  const details: SliceDetails = {
    ...{ kind: next.kind, spans, as_of: next.asOf, follows: position?.number ?? null, boundary: next.boundary, shape },
  };
  return { details, more: next.asOf < end, warnings: open.flatMap(({ warnings }) => warnings) };
}

/** Where each change source starts, and where the warehouse says it ends. */
async function boundsOf({ source }: SliceSession, sources: readonly ChangeSource[], before: ReadonlyMap<string, string>) {
  const bounds = [];
  for (const changes of sources) {
    const start = before.get(changes.name) ?? null;
    const nothing: Query = { name: changes.name, texts: ['SELECT 1 AS nothing'], parameters: [] };
    const [row = []] = await source.select(nothing, (dialect) => changes.bounds(dialect, start));
    bounds.push({ changes, start, row });
  }
  return bounds;
}

/** What must stay the same between slices, in two parts: the job's, and the model's features. */
function shapeOf({ query, definition }: Job, { key, keep, features }: ChosenColumns, { digest }: Bundle): string {
  const { since, changes, bands = definition.score.bands } = incrementalOf({ definition });
  const part = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
  const typed = (columns: ChosenColumns['key']) => columns.map(({ name, native }) => [name, native]);
  const { column, class: label } = definition.score;
  // Another class means another score. Without a class, the shape is the same as before classes existed.
  const score = label === undefined ? [column] : [column, label];
  return [
    part([query, since, definition.time_zone, typed(key), typed(keep), ...score, bands, changes]),
    part([digest, typed(features), definition.features]),
    digest.slice(0, 16),
  ].join('.');
}

/**
 * @throws ScoreBatchError `configuration` if query, kept columns, features, change sources or bands differ from those of
 * earlier slices
 */
function refuseOtherShape(position: Position | undefined, shape: string, { digest }: Bundle): void {
  const [job, features, model] = position?.slice.shape.split('.') ?? [];
  const [jobNow, featuresNow] = shape.split('.');
  if (position === undefined || (job === jobNow && (model !== digest.slice(0, 16) || features === featuresNow))) return;
  const what =
    job === jobNow
      ? 'the types or names of feature columns'
      : 'the query, its key or kept columns, the class of the score, the change sources, the bands, since or the time zone';
  throw new ScoreBatchError(
    'configuration',
    `${what} changed since the previous slice, so the scores of users who did not change would be wrong`,
    {
      hint: 'score all users again with `score-batch --slice --snapshot`',
    },
  );
}
