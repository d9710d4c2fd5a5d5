import { ScoreBatchError } from '../errors.ts';

/** Whether V8 ended a thread because it reached its heap limit. */
export function isOutOfMemory(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
}

/** The error of a thread that reached its heap limit. Staged chunks stay, so the run can resume. */
export function outOfMemory(cause: Error): ScoreBatchError {
  return new ScoreBatchError('configuration', 'a worker thread exceeded its memory limit', {
    hint: 'lower score.chunk_rows or score.batch_rows, or start Node with a higher --max-old-space-size',
    cause,
  });
}
