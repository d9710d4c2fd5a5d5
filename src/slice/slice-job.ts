import { incrementalJob } from '../domain/slice.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import type { JobDefinition } from '../job/schema.ts';

export type Incremental = NonNullable<JobDefinition['incremental']>;

const START = new Date(0);
/** Later than any slice. */
const END = new Date('9999-12-31T00:00:00.000Z');

/** @throws ScoreBatchError `configuration` if the job has no slices */
export function incrementalOf({ definition }: Pick<Job, 'definition'>): Incremental {
  if (definition.incremental !== undefined) return definition.incremental;
  throw new ScoreBatchError('configuration', `the job ${definition.name} has no section incremental, so it has no slices`, {
    hint: 'add one that names the current table and the change sources; docs/hourly.md shows an example',
  });
}

/**
 * The job whose runs are the slices: same query, key and model, with the current table in place of the scores table, the ledger
 * beside it, and no report, reasons, labels or challenger.
 */
export function sliceJob(job: Job): Job {
  const incremental = incrementalOf(job);
  const { challenger: _challenger, labels: _labels, ...definition } = job.definition;
  const { reasons: _reasons, bands, ...score } = definition.score;
  const {
    min_auc: _auc,
    max_calibration_error: _error,
    max_feature_psi: _psi,
    max_null_share: _null,
    ...gates
  } = definition.gates;
  const { csv_bom, min_cell, nouns } = definition.report;
  const { keep_rows: _keep, ready: _ready, ...source } = definition.source;
  return {
    ...job,
    labels: undefined,
    definition: {
      ...definition,
      name: incrementalJob(definition.name),
      source,
      gates,
      score: { ...score, bands: incremental.bands ?? bands },
      sink: { ...definition.sink, table: incremental.table, layout: 'wide', history: 0, shared_tables: false },
      report: { segments: [], page_keys: false, csv_bom, min_cell, nouns },
    },
  };
}

/**
 * The only window of a job of slices in the ledger; each slice is a publication of it. It does not depend on the job file:
 * after a change of `since`, slices must still see earlier ones.
 */
export function sliceWindow({ definition }: Job): Window {
  return { start: START, end: END, kind: 'ad hoc', label: 'current', zone: definition.time_zone };
}
