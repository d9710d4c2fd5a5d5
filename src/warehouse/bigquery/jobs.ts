import { ScoreBatchError } from '../../errors.ts';
import { beforeRetry } from '../retry.ts';
import { sleep } from '../timeouts.ts';
import type { RestRequest } from './client.ts';
import { type Connection, request, requestIfThere, sendOnce, withGracePeriod } from './connection.ts';
import { failureOf, isConcurrentUpdate, isStatus, isTransient, JobFailed } from './failure.ts';
import { type Job, readJob } from './shapes.ts';

/** Configuration of a job for jobs.insert. */
export type Configuration = Readonly<Record<string, unknown>>;

export interface SentJob {
  readonly job: Job;
  /** Whether the job existed already: sent by another process, or earlier by this one. */
  readonly found: boolean;
}

/** Sends a job once under an id: a query with a plain request, a file with an upload. */
export type SendJob = (jobId: string) => Promise<Job>;

/** Skips up to this many ids that failed jobs already used. */
const MAX_IDS = 100;
const CANCEL_MS = 5000;

/** Runs a query or script and waits for its end. See `runJobAs`. */
export async function runJob(connection: Connection, id: string, configuration: Configuration): Promise<SentJob> {
  return await runJobAs(connection, id, (jobId) => submit(connection, jobId, (as) => sendQuery(connection, as, configuration)));
}

/** Looks the job up before sending it, because a process that is gone may have sent this script or upload. */
export async function submitUnlessThere(connection: Connection, jobId: string, send: SendJob): Promise<SentJob> {
  const job = await lookUp(connection, jobId);
  return job === undefined ? await submit(connection, jobId, send) : { job, found: true };
}

/**
 * Runs a job exactly once, even if several processes send it: its id shows whether it was sent. A failed job has used its
 * id, so the next attempt gets a suffix. A job is retried after transient errors and after losing to a concurrent
 * transaction.
 *
 * @throws JobFailed if the job fails with a permanent error
 */
export async function runJobAs(
  connection: Connection,
  id: string,
  send: (jobId: string) => Promise<SentJob>,
): Promise<SentJob> {
  let failures = 0;
  for (let n = 0; n < MAX_IDS; n += 1) {
    const { job: sent, found } = await send(idOf(id, n));
    const job = await finished(connection, sent, found);
    const failure = failureOfJob(job);
    if (failure === undefined) return { job, found };
    // A failure that was found does not count as an attempt of this process.
    if (found) continue;
    failures += 1;
    if (!isTransient(failure) && !isConcurrentUpdate(failure)) throw failure;
    await beforeRetry(connection, failures, failure);
  }
  throw new ScoreBatchError('unavailable', `${MAX_IDS} BigQuery jobs ${id} failed`, {
    hint: 'run the same command again with --fresh: a new run uses new job ids',
  });
}

/** The n-th id of a job whose earlier ids are already used. */
export function idOf(id: string, n: number): string {
  return n === 0 ? id : `${id}_${n}`;
}

/**
 * Sends a job under its id. A missing answer does not show whether the job runs, so the job is looked up, and sent again
 * only if it does not exist.
 */
async function submit(connection: Connection, jobId: string, send: SendJob): Promise<SentJob> {
  for (let failures = 1; ; failures += 1) {
    try {
      return { job: await send(jobId), found: false };
    } catch (error) {
      if (connection.signal.aborted) await cancel(connection, jobId, { location: await connection.location() });
      const exists = isStatus(error, 409);
      if (!exists && !isTransient(error)) throw error;
      if (!exists && failures >= connection.timeouts.attempts) throw error;
      const job = await lookUp(connection, jobId);
      // After an earlier failure it is unknown who sent the job; `publish` checks that itself.
      if (job !== undefined) return { job, found: exists && failures === 1 };
      if (exists) throw error;
      await beforeRetry(connection, failures, error, failureOf(error).retryAfter);
    }
  }
}

export async function sendQuery(connection: Connection, jobId: string, configuration: Configuration): Promise<Job> {
  return await sendOnce(connection, await insertion(connection, jobId, configuration), readJob);
}

/** Plans a query without running it, so it is safe to retry. */
export async function planQuery(connection: Connection, jobId: string, configuration: Configuration): Promise<Job> {
  return await request(connection, await insertion(connection, jobId, { ...configuration, dryRun: true }), readJob);
}

async function insertion(connection: Connection, jobId: string, configuration: Configuration): Promise<RestRequest> {
  const jobReference = { projectId: connection.home.project, jobId, location: await connection.location() };
  return { method: 'POST', uri: '/jobs', json: { jobReference, configuration } };
}

/** The job with this id; undefined if there is none. */
async function lookUp(connection: Connection, jobId: string): Promise<Job | undefined> {
  const qs = { location: await connection.location() };
  return await requestIfThere(connection, { uri: `/jobs/${jobId}`, qs }, readJob);
}

/** Waits until the job ends, successfully or not. If the signal aborts, cancels the job unless another process sent it. */
async function finished(connection: Connection, job: Job, found: boolean): Promise<Job> {
  const { jobId, location } = job.jobReference;
  const qs = location === undefined ? {} : { location };
  let current = job;
  let pause = Math.min(50, connection.timeouts.poll);
  const end = performance.now() + connection.timeouts.job;
  const ended = connection.working?.('job', () => jobId);
  try {
    while (current.status.state !== 'DONE') {
      await sleep(pause, connection.signal);
      pause = Math.min(connection.timeouts.poll, pause * 1.5);
      if (performance.now() > end) throw tooLong(jobId, connection.timeouts.job);
      current = await request(connection, { uri: `/jobs/${jobId}`, qs }, readJob);
    }
  } catch (error) {
    if (connection.signal.aborted && !found) await cancel(connection, jobId, qs);
    throw error;
  } finally {
    ended?.();
  }
  return current;
}

/** BigQuery stops a job itself after `MAX_MS`, so this one will never report an end. */
function tooLong(jobId: string, ms: number): ScoreBatchError {
  return new ScoreBatchError('unavailable', `the job ${jobId} is still running after ${Math.round(ms / 60_000)} minutes`, {
    hint: 'cancel it in the BigQuery console, then run the same command again',
  });
}

function failureOfJob({ status, jobReference }: Job): JobFailed | undefined {
  const { errorResult } = status;
  if (errorResult === undefined) return undefined;
  return new JobFailed(errorResult.reason ?? '', errorResult.message ?? 'no reason given', jobReference.jobId);
}

/** Best effort with a short timeout: the command is ending. */
async function cancel(connection: Connection, jobId: string, qs: Readonly<Record<string, string>>): Promise<void> {
  const { timeouts } = connection;
  const graceful = {
    ...withGracePeriod(connection),
    timeouts: { ...timeouts, request: Math.min(timeouts.request, CANCEL_MS) },
  };
  await sendOnce(graceful, { method: 'POST', uri: `/jobs/${jobId}/cancel`, qs }, () => undefined).catch(() => undefined);
}
