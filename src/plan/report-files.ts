import type { Window } from '../domain/window.ts';
import type { Job } from '../job/load.ts';
import { type ReportFile, refuseForeign, reportFiles } from '../report/place.ts';
import { type Reserved, refuseReserved } from '../report/reserved.ts';
import { assertObjectsWritable } from '../report/stored-files.ts';
import type { PublishedBefore } from './publications.ts';
import type { Warehouses } from './warehouses.ts';

interface ReportPlan extends Pick<Warehouses, 'stores'> {
  readonly job: Job;
  readonly window: Window;
  /** Files and folders that the report must never replace. */
  readonly reserved: readonly Reserved[];
  /** Replace a report file that this job did not write. */
  readonly force: boolean;
  readonly before: PublishedBefore;
  /** Whether this process writes the files. */
  readonly writes: boolean;
}

/** The files of the window's report, after checking that the job may write them. */
export async function planReport({
  job,
  window,
  reserved,
  before,
  stores,
  force,
  writes,
}: ReportPlan): Promise<readonly ReportFile[]> {
  const { root, definition } = job;
  const files = reportFiles(definition.report, window, root);
  await refuseReserved(files, reserved);
  if (!writes) return files;
  const owner = { job: definition.name, root, entries: [...before.entries, ...before.overlaps], stores };
  if (!force) for (const file of files) await refuseForeign(file, owner);
  await assertObjectsWritable(files, stores);
  return files;
}
