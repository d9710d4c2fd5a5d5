import { ScoreBatchError } from '../../errors.ts';
import { beforeRetry } from '../retry.ts';
import { sleep } from '../timeouts.ts';
import type { RestRequest } from './client.ts';
import { type Connection, request, requestIfThere, sendOnce, withGracePeriod } from './connection.ts';
import { failureOf, isConcurrentUpdate, isStatus, isTransient, JobFailed } from './failure.ts';
import { type Job, readJob } from './shapes.ts';

/** Configuration of a job as jobs.insert takes it. */
export type Configuration = Readonly<Record<string, unknown>>;

export interface SentJob {
  readonly job: Job;
  /** Whether another process had sent it, or this one before. */
  readonly found: boolean;
}

/** How a job is sent under an id, once; a query's configuration goes with a plain request, a file with an upload. */
export type SendJob = (jobId: string) => Promise<Job>;

/** Ids that earlier failures burnt are passed over, up to this many. */
const MAX_IDS = 100;
const CANCEL_MS = 5000;

/** Runs a query or script and waits for its end. See `runJobAs`. */
export async function runJob(connection: Connection, id: string, configuration: Configuration): Promise<SentJob> {
  return await runJobAs(connection, id, (jobId) => submit(connection, jobId, (as) => sendQuery(connection, as, configuration)));
}

/** Looks a job up before it is sent: where a script or an upload may have been sent by a process that is gone. */
export async function submitUnlessThere(connection: Connection, jobId: string, send: SendJob): Promise<SentJob> {
  const job = await lookUp(connection, jobId);
  return job === undefined ? await submit(connection, jobId, send) : { job, found: true };
}

/**
 * Runs a job once, however often it is sent and by however many processes: its id tells whether it was sent. What failed
 * burns its id, and the next one has a suffix. It is run again where Google asks to try again, or its transaction lost
 * against another one.
 *
 * @throws JobFailed where the job fails for good
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
    // Whoever found it failed has not tried it yet.
    if (found) continue;
    failures += 1;
    if (!isTransient(failure) && !isConcurrentUpdate(failure)) throw failure;
    await beforeRetry(connection, failures, failure);
  }
  throw new ScoreBatchError('unavailable', `BigQuery has failed ${MAX_IDS} jobs ${id}`, {
    hint: 'start again with --fresh: a new run has jobs of its own',
  });
}

/** The n-th id of a job whose earlier ones are burnt. */
export function idOf(id: string, n: number): string {
  return n === 0 ? id : `${id}_${n}`;
}

/**
 * Sends a job under its id. An answer that does not come says nothing about whether the job runs: it is looked up, and sent
 * again only where it is not there.
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
      // After a first failure nobody knows whose it is; see `publish` for who needs to.
      if (job !== undefined) return { job, found: exists && failures === 1 };
      if (exists) throw error;
      await beforeRetry(connection, failures, error, failureOf(error).retryAfter);
    }
  }
}

export async function sendQuery(connection: Connection, jobId: string, configuration: Configuration): Promise<Job> {
  return await sendOnce(connection, await insertion(connection, jobId, configuration), readJob);
}

/** The plan of a query that is not run, so that it can be sent again. */
export async function planQuery(connection: Connection, jobId: string, configuration: Configuration): Promise<Job> {
  return await request(connection, await insertion(connection, jobId, { ...configuration, dryRun: true }), readJob);
}

async function insertion(connection: Connection, jobId: string, configuration: Configuration): Promise<RestRequest> {
  const jobReference = { projectId: connection.home.project, jobId, location: await connection.location() };
  return { method: 'POST', uri: '/jobs', json: { jobReference, configuration } };
}

/** The job of that id, undefined where there is none. */
async function lookUp(connection: Connection, jobId: string): Promise<Job | undefined> {
  const qs = { location: await connection.location() };
  return await requestIfThere(connection, { uri: `/jobs/${jobId}`, qs }, readJob);
}

/** Waits for the job's end, whatever it is. When the signal is aborted the job is cancelled, unless it is somebody else's. */
async function finished(connection: Connection, job: Job, found: boolean): Promise<Job> {
  const { jobId, location } = job.jobReference;
  const qs = location === undefined ? {} : { location };
  let current = job;
  let pause = Math.min(50, connection.timeouts.poll);
  const end = performance.now() + connection.timeouts.job;
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
  }
  return current;
}

/** BigQuery ends a job itself after `MAX_MS`; one that goes on for longer is one of which nobody will hear. */
function tooLong(jobId: string, ms: number): ScoreBatchError {
  return new ScoreBatchError('unavailable', `the job ${jobId} still runs after ${Math.round(ms / 60_000)} minutes`, {
    hint: 'look at it in the BigQuery console and cancel it there, then start the same command again',
  });
}

function failureOfJob({ status, jobReference }: Job): JobFailed | undefined {
  const { errorResult } = status;
  if (errorResult === undefined) return undefined;
  return new JobFailed(errorResult.reason ?? '', errorResult.message ?? 'it does not say why', jobReference.jobId);
}

/** Best effort, and soon: whoever aborted does not want to wait. */
async function cancel(connection: Connection, jobId: string, qs: Readonly<Record<string, string>>): Promise<void> {
  const { timeouts } = connection;
  const graceful = {
    ...withGracePeriod(connection),
    timeouts: { ...timeouts, request: Math.min(timeouts.request, CANCEL_MS) },
  };
  await sendOnce(graceful, { method: 'POST', uri: `/jobs/${jobId}/cancel`, qs }, () => undefined).catch(() => undefined);
}
