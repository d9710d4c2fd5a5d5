import type { RunDetails } from '../domain/run-details.ts';
import { Interrupted, ScoreBatchError } from '../errors.ts';
import type { ObservedEnd, ObservedRun } from '../observe/observer.ts';
import { withoutSecrets } from '../secrets.ts';
import { VERSION } from '../versions.ts';
import { withoutValues } from '../without-values.ts';
import { type DatasetName, EVENT_SCHEMA, type Facets, facet, ownRunFacet, PRODUCER, type RunEvent } from './facets.ts';
import { inputDatasets, originsOf } from './inputs.ts';
import { outputDatasets } from './outputs.ts';
import { lineageRunId } from './run-id.ts';
import type { LineageSettings, ParentRun } from './settings.ts';
import type { TracedQuery } from './traced-query.ts';

/** What an event reports on. */
export interface Told {
  readonly run: ObservedRun;
  readonly traced: TracedQuery;
  readonly settings: Pick<LineageSettings, 'namespace' | 'parent' | 'root'>;
}

/** The event when a process begins, resumes or joins the run. */
export function beginningOf(told: Told, eventType: 'START' | 'RUNNING'): RunEvent {
  return eventOf(told, { eventType, time: told.run.began, end: undefined });
}

/** The event when a process's work on the run has ended. */
export function endingOf(told: Told, end: ObservedEnd): RunEvent {
  return eventOf(told, { eventType: typeOf(end), time: end.ended, end });
}

/**
 * A run that `--skip-empty` ends has published nothing, and nothing has failed: it counts as aborted, like one that a signal or
 * a timeout ended.
 */
function typeOf({ state, error }: ObservedEnd): RunEvent['eventType'] {
  switch (state) {
    case 'published':
    case 'already published':
      return 'COMPLETE';
    case 'phase':
      return 'RUNNING';
    case 'skipped':
      return 'ABORT';
    case 'refused':
    case 'failed':
      return error instanceof Interrupted ? 'ABORT' : 'FAIL';
  }
}

interface Happened {
  readonly eventType: RunEvent['eventType'];
  /** Epoch milliseconds. */
  readonly time: number;
  /** Undefined when the work begins. */
  readonly end: ObservedEnd | undefined;
}

function eventOf({ run, traced, settings }: Told, { eventType, time, end }: Happened): RunEvent {
  const { plan, runId } = run;
  const { name } = plan.job.definition;
  const query: DatasetName = { namespace: settings.namespace, name: `${name}.query` };
  const published = end && isPublished(end) ? { runId, rows: end.rows, details: end.details } : undefined;
  return {
    eventType,
    eventTime: new Date(time).toISOString(),
    producer: PRODUCER,
    schemaURL: EVENT_SCHEMA,
    run: { runId: lineageRunId(name, runId), facets: runFacets(run, settings, end) },
    job: {
      namespace: settings.namespace,
      name,
      facets: {
        jobType: facet('JobTypeJobFacet', { processingType: 'BATCH', integration: 'SCORE_BATCH', jobType: 'JOB' }),
        sql: facet('SQLJobFacet', { query: plan.job.query, dialect: plan.job.kind }),
      },
    },
    inputs: inputDatasets(plan, traced, query, end),
    outputs: published ? outputDatasets(plan, published, originsOf(traced, query)) : [],
  };
}

/** A run is published even if its report could not be written. */
function isPublished({ state, error }: ObservedEnd): boolean {
  if (state === 'published' || state === 'already published') return true;
  return error instanceof ScoreBatchError && error.kind === 'report';
}

function runFacets(run: ObservedRun, { parent, root }: Told['settings'], end: ObservedEnd | undefined): Facets {
  const { window, slice } = run.plan;
  return {
    // A slice has no time window, only the instant of its features.
    nominalTime: facet(
      'NominalTimeRunFacet',
      slice
        ? { nominalStartTime: slice.details.as_of }
        : { nominalStartTime: window.start.toISOString(), nominalEndTime: window.end.toISOString() },
    ),
    processing_engine: facet('ProcessingEngineRunFacet', {
      ...{ version: VERSION, name: 'score-batch', openlineageAdapterVersion: VERSION },
    }),
    scoreBatch_run: ownRunFacet(ownFacts(run, end)),
    ...(parent && { parent: facet('ParentRunFacet', parentOf(parent, root)) }),
    ...(end?.error !== undefined && {
      errorMessage: facet('ErrorMessageRunFacet', { message: messageOf(end.error), programmingLanguage: 'TypeScript' }),
    }),
  };
}

function ownFacts({ plan, runId }: ObservedRun, end: ObservedEnd | undefined): object {
  const { name, version } = plan.bundle.definition;
  const { label, kind, zone } = plan.window;
  return {
    run_id: runId,
    window: { label, kind, time_zone: zone },
    fingerprint: plan.fingerprint,
    model: { name, version, digest: plan.bundle.digest },
    ...(end && { state: end.state, ...factsOf(end.details) }),
    ...(end?.publication !== undefined && { publication: end.publication }),
    ...(end?.rows && { rows: end.rows }),
  };
}

function factsOf({ mean_score, score_psi }: RunDetails): object {
  return { ...(mean_score !== undefined && { mean_score }), ...(score_psi !== undefined && { score_psi }) };
}

function parentOf(parent: ParentRun, root: ParentRun | undefined): object {
  const shown = ({ namespace, name, runId }: ParentRun) => ({ run: { runId }, job: { namespace, name } });
  return { ...shown(parent), ...(root && { root: shown(root) }) };
}

/** Our own messages contain no row values; those of other errors may. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return withoutSecrets(error instanceof ScoreBatchError || error instanceof Interrupted ? message : withoutValues(message));
}
