import { isDelivery } from '../domain/deliveries.ts';
import type { LedgerEntry } from '../domain/ledger.ts';
import type { RunDetails } from '../domain/run-details.ts';
import { totalSeconds } from '../domain/stages.ts';
import type { Sample, Setting } from './sample.ts';

/** Comparable runs, and how many are not. */
export interface Comparable {
  /** Undefined if no run can be compared. */
  readonly setting: Setting | undefined;
  /** Oldest first. */
  readonly samples: readonly Sample[];
  readonly leftOut: readonly LeftOut[];
}

export interface LeftOut {
  readonly why: string;
  readonly runs: number;
}

/** A run done by one process from start to end. */
interface WholeRun {
  readonly sample: Sample;
  readonly setting: Setting & { readonly host: string };
  readonly sql: string | undefined;
  readonly chunks: number;
  /** Epoch milliseconds. */
  readonly began: number;
  readonly ended: number;
}

/** A process writes its last entry at once, so a longer gap separates two processes of one run. */
const GAP_SECONDS = 2;

/**
 * The newest comparable runs: with the model, query, host and execution of the newest run, each done completely by one process
 * that ran alone.
 *
 * @param entries all of a job, in the order in which they were written
 * @param anyHost compare runs of all hosts, if each run has its own machine or pod
 */
export function comparableRuns(entries: readonly LedgerEntry[], { anyHost }: { readonly anyHost: boolean }): Comparable {
  const leftOut = new Map<string, number>();
  const leave = (why: string, runs = 1): void => void leftOut.set(why, (leftOut.get(why) ?? 0) + runs);
  const whole: WholeRun[] = [];
  for (const ofRun of byRun(entries.filter(isOfScoring))) {
    const run = wholeRun(ofRun);
    if (typeof run === 'string') leave(run);
    else whole.push(run);
  }
  const alone = whole.filter((run) => whole.every((other) => other === run || !ranTogether(run, other)));
  if (alone.length < whole.length) leave('at the same time as another run on its host', whole.length - alone.length);
  const newest = alone.toSorted((a, b) => a.ended - b.ended).at(-1);
  if (newest === undefined) return { setting: undefined, samples: [], leftOut: sorted(leftOut) };
  const workers = settledWorkers(
    alone.filter((run) => otherThan(newest, run, anyHost) === undefined),
    newest,
  );
  const samples = alone.flatMap((run) => {
    const why = otherThan(newest, run, anyHost) ?? (hasWorkers(run, workers) ? undefined : 'another number of workers');
    if (why === undefined) return [run.sample];
    leave(why);
    return [];
  });
  const setting = { ...newest.setting, workers, host: anyHost ? null : newest.setting.host };
  return { setting, samples, leftOut: sorted(leftOut) };
}

function byRun(entries: readonly LedgerEntry[]): Iterable<readonly LedgerEntry[]> {
  const runs = new Map<string, LedgerEntry[]>();
  for (const entry of entries) runs.set(entry.runId, [...(runs.get(entry.runId) ?? []), entry]);
  return runs.values();
}

/** Promotions, erasures and deliveries also have entries. */
function isOfScoring({ state }: LedgerEntry): boolean {
  return !['promoting', 'promoted', 'erased'].includes(state) && !isDelivery(state);
}

/** @param entries of one run @returns otherwise why it says nothing about a whole run */
function wholeRun(entries: readonly LedgerEntry[]): WholeRun | string {
  const end = entries.findIndex(({ state }) => state === 'completed');
  const [first] = entries;
  const completed = entries[end];
  if (first === undefined || completed === undefined) return 'not completed';
  const own = entries.slice(0, end + 1);
  const details: RunDetails = Object.assign({}, ...own.map((entry) => entry.details));
  const { chunks = 0 } = details;
  const rows = completed.rows?.frozen;
  if (own.filter(({ state }) => state !== 'published' && state !== 'completed').length !== 1 || details.accepted)
    return 'done by several processes: resumed, accepted, or in phases';
  if (details.as_of !== undefined) return 'scored kept rows instead of the source';
  if (!isMeasured(details) || rows === undefined) return 'without seconds, rows or execution in the ledger';
  const { seconds, execution, workers, estimated_bytes: bytes } = details;
  const [began, ended] = [Date.parse(first.recordedAt), Date.parse(completed.recordedAt)];
  if ((details.chunks_resumed ?? 0) > 0 || (ended - began) / 1000 > totalSeconds(seconds) + GAP_SECONDS)
    return 'done by several processes: resumed, accepted, or in phases';
  if (rows === 0) return 'without rows';
  const { provider, devices } = execution;
  return {
    sample: { window: first.window, rows, seconds, bytes: isAmount(bytes) ? bytes : undefined },
    setting: {
      ...{ model: first.model, host: first.host, provider, devices },
      ...{ workers: workers.workers, freezes: seconds.freeze > 0 },
    },
    ...{ sql: details.sql, chunks, began, ended },
  };
}

type MeasuredRun = RunDetails & Required<Pick<RunDetails, 'seconds' | 'execution' | 'workers'>>;

/** Whether an entry has what a profile reads. Entries of older versions or other tools may not. */
function isMeasured(details: RunDetails): details is MeasuredRun {
  const { seconds, execution, workers } = details;
  if (seconds === undefined || execution === undefined || workers === undefined) return false;
  return Object.values(seconds).every(isAmount) && Array.isArray(execution.devices) && isAmount(workers.workers);
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function ranTogether(a: WholeRun, b: WholeRun): boolean {
  return a.setting.host === b.setting.host && a.began < b.ended && b.began < a.ended;
}

/** Why a run cannot be compared with the newest; undefined if it can, apart from its number of workers. */
function otherThan({ setting, sql }: WholeRun, run: WholeRun, anyHost: boolean): string | undefined {
  if (run.setting.model.digest !== setting.model.digest) return 'by another model';
  if (run.sql !== sql) return 'by another query';
  if (!anyHost && run.setting.host !== setting.host) return 'on another host';
  const { provider, devices, freezes } = run.setting;
  if (provider !== setting.provider || devices.join() !== setting.devices.join()) return 'on another device';
  return freezes === setting.freezes ? undefined : setting.freezes ? 'without freezing rows' : 'that froze rows first';
}

/** The number of workers of the newest run with more than one chunk per worker, so that none was missing. */
function settledWorkers(runs: readonly WholeRun[], newest: WholeRun): number {
  const settled = runs.filter((run) => !fewChunks(run)).toSorted((a, b) => a.ended - b.ended);
  return (settled.at(-1) ?? newest).setting.workers;
}

function hasWorkers(run: WholeRun, workers: number): boolean {
  return run.setting.workers === workers || (fewChunks(run) && run.setting.workers < workers);
}

/** Whether the run may have had fewer workers than otherwise, because it has few rows. Tapped rows have no chunks. */
function fewChunks({ setting, chunks }: WholeRun): boolean {
  return setting.freezes && chunks <= setting.workers;
}

function sorted(counts: ReadonlyMap<string, number>): LeftOut[] {
  return [...counts].map(([why, runs]) => ({ why, runs })).sort((a, b) => b.runs - a.runs);
}
