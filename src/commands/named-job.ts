import type { Context } from '../context.ts';
import { type Job, loadJob } from '../job/load.ts';
import type { JobFlags } from './options.ts';

/** Loads the job that the flags name. From then on, errors and log lines name it, too. */
export async function namedJob(flags: JobFlags, { folder, environment, subject }: Context): Promise<Job> {
  const job = await loadJob(flags.job, folder, environment);
  subject.job = job.definition.name;
  return job;
}
