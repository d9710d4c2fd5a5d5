import type { Attributes } from '@opentelemetry/api';
import { EXIT_CODES, Interrupted, ScoreBatchError } from '../errors.ts';
import type { ObservedEnd, ObservedRun } from '../observe/observer.ts';

/** Attributes known when a run begins. */
export function attributesOfRun({ plan, runId }: ObservedRun): Attributes {
  const { job, window, bundle, kinds, slice } = plan;
  return {
    'score_batch.job': job.definition.name,
    'score_batch.run_id': runId,
    'score_batch.window': window.label,
    'score_batch.window.start': window.start.toISOString(),
    'score_batch.window.end': window.end.toISOString(),
    'score_batch.model.name': bundle.definition.name,
    'score_batch.model.version': bundle.definition.version,
    'score_batch.model.digest': bundle.digest,
    'score_batch.source.warehouse': kinds.source,
    'score_batch.sink.warehouse': kinds.sink,
    ...(slice && { 'score_batch.slice': slice.details.kind }),
  };
}

/** How it ended. Messages are left out: they may quote row values. */
export function attributesOfEnd({ state, rows, publication, error }: ObservedEnd): Attributes {
  return {
    'score_batch.state': state,
    'score_batch.exit_code': exitCodeOf(error),
    ...(publication !== undefined && { 'score_batch.publication': publication }),
    ...(rows && {
      'score_batch.rows.frozen': rows.frozen,
      'score_batch.rows.scored': rows.scored,
      'score_batch.rows.quarantined': rows.quarantined,
    }),
    ...(error !== undefined && { 'error.type': errorTypeOf(error) }),
  };
}

/** Exit code of a command that ran only this window; undefined if a signal ended it. */
function exitCodeOf(error: unknown): number | undefined {
  if (error === undefined) return 0;
  if (error instanceof Interrupted) return undefined;
  return error instanceof ScoreBatchError ? EXIT_CODES[error.kind] : 1;
}

/** An `ErrorKind`, `interrupted`, or the class of an error that is a bug. */
function errorTypeOf(error: unknown): string {
  if (error instanceof ScoreBatchError) return error.kind;
  if (error instanceof Interrupted) return 'interrupted';
  return error instanceof Error ? error.name : typeof error;
}
