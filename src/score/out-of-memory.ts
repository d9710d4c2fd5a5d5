import { ScoreBatchError } from '../errors.ts';

/** Whether V8 ended a thread because its heap was full. */
export function isOutOfMemory(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
}

/** What is staged stays, and the same command goes on with it. */
export function outOfMemory(cause: Error): ScoreBatchError {
  return new ScoreBatchError('configuration', 'a chunk worker took more memory than it may', {
    hint: 'set score.chunk_rows or score.batch_rows lower, or start Node with a higher --max-old-space-size',
    cause,
  });
}
