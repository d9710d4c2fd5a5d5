import { championRun } from '../domain/challenger.ts';
import type { LedgerEntry } from '../domain/ledger.ts';
import { mayDelete, type ScratchArtifact, type Verdict } from '../domain/scratch-artifact.ts';
import { batchJob, incrementalJob, isSliceJob } from '../domain/slice.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Ledger, Scratch } from '../warehouse/warehouse.ts';

/** A scratch artifact, and whether it may be dropped. */
export interface JudgedArtifact extends ScratchArtifact, Verdict {
  drop(): Promise<void>;
}

/**
 * Finds the scratch artifacts of the job's runs and slices, and judges for each whether it may be dropped. Reads only ledger
 * entries of these runs and their windows, and none if there are no artifacts: ledgers are long.
 *
 * @param places may contain duplicates
 * @param definition of the job; that of its slices does not know which rows the job keeps, so these are left out
 * @param now epoch milliseconds of the real clock: deadlines ignore the pinned "now" of a rerun
 */
export async function judgeArtifacts(
  places: readonly Scratch[],
  ledger: Ledger,
  { name: job, source }: Pick<JobDefinition, 'name' | 'source'>,
  now: number,
): Promise<JudgedArtifact[]> {
  const found = new Map<string, { readonly left: ScratchArtifact; readonly place: Scratch }>();
  for (const place of places) {
    for (const left of await place.listArtifacts()) {
      const isForeign = left.kept !== undefined && isSliceJob(job);
      if (!found.has(left.name) && !isForeign) found.set(left.name, { left, place });
    }
  }
  const runs = [...new Set([...found.values()].flatMap(({ left }) => (left.run === undefined ? [] : championRun(left.run))))];
  const entries = runs.length === 0 ? [] : await entriesAbout(runs, ledger, batchJob(job));
  return [...found.values()].map(({ left, place }) => ({
    ...left,
    ...mayDelete(left, entriesOfWindow(left, entries), now, source.keep_rows),
    drop: () => place.drop(left),
  }));
}

/** All entries of these runs' windows, for the job and its slices. */
async function entriesAbout(runs: readonly string[], ledger: Ledger, job: string): Promise<LedgerEntry[]> {
  const jobs = [job, incrementalJob(job)];
  const own = (await ledger.entries({ runs })).filter((entry) => jobs.includes(entry.job));
  const windows = new Map(own.map((entry) => [keyOf(entry), entry]));
  const entries: LedgerEntry[] = [];
  for (const entry of windows.values()) entries.push(...(await ledger.entries({ job: entry.job, window: entry.window })));
  // Of slices, keep only the newest of a window.
  return [...own.filter((entry) => isSliceJob(entry.job)), ...entries];
}

function entriesOfWindow({ run }: ScratchArtifact, entries: readonly LedgerEntry[]): LedgerEntry[] {
  const own = entries.find(({ runId }) => run !== undefined && runId === championRun(run));
  return own === undefined ? [] : entries.filter((entry) => keyOf(entry) === keyOf(own));
}

function keyOf({ job, window: { start, end } }: Pick<LedgerEntry, 'job' | 'window'>): string {
  return `${job} ${start} ${end}`;
}
