import { championRun } from '../domain/challenger.ts';
import { openRuns, type Person } from '../domain/erasure.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { type LedgerEntry, type Run, runsOf } from '../domain/ledger.ts';
import { isSliceJob } from '../domain/slice.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import type { Warehouses } from '../plan/warehouses.ts';
import { abandonedReports } from '../report/abandoned.ts';
import { MAX_CONCURRENT_AGE_MS } from '../run/begin.ts';
import { type JudgedArtifact, judgeArtifacts } from '../run/judged-artifacts.ts';
import { countPerson, keyIn } from '../warehouse/sql/person.ts';
import type { Source } from '../warehouse/warehouse.ts';

/** Artifacts of runs that may contain rows of a person. */
export interface Leftovers {
  /** Runs whose rows are kept. */
  readonly kept: readonly string[];
  /** Artifacts needed only by people who look into a refused run. */
  readonly dropped: readonly JudgedArtifact[];
  /** Artifacts of runs unknown to the ledger, or of processes. */
  readonly unknown: readonly JudgedArtifact[];
}

/**
 * Finds artifacts of runs.
 *
 * @param entries all of the job
 * @param slices entries of its slices, from the newest publication on
 * @throws ScoreBatchError `conflict` if a run that has read rows may still publish
 */
export async function findLeftovers(
  { definition, root }: Job,
  { source, sink, ledger }: Pick<Warehouses, 'source' | 'sink' | 'ledger'>,
  { entries, slices }: { readonly entries: readonly LedgerEntry[]; readonly slices: readonly LedgerEntry[] },
): Promise<Leftovers> {
  const found = await judgeArtifacts([source, sink], ledger, definition, Date.now());
  const withRows = new Set(found.flatMap(({ run }) => (run === undefined ? [] : championRun(run))));
  for (const open of [entries, slices]) refuseOpenRuns(open, withRows);
  const refused = new Set(
    [...runsOf(entries), ...runsOf(slices)].flatMap(({ runId, state }) => (state === 'refused' ? [runId] : [])),
  );
  const useless = ({ run, deletable }: JudgedArtifact) => deletable || (run !== undefined && refused.has(run));
  const kept = found.filter((left) => left.kept !== undefined && !left.deletable);
  const others = found.filter((left) => !kept.includes(left));
  // A process that is still writing one finds it gone, and writes it again.
  const files = await judgeArtifacts(abandonedReports(definition, root, 'rows'), ledger, definition, Date.now());
  return {
    kept: [...new Set(kept.flatMap(({ run }) => run ?? []))],
    dropped: [...others.filter(useless), ...files],
    unknown: others.filter((left) => !useless(left)),
  };
}

/**
 * @param withRows runs with artifacts in scratch
 * @throws ScoreBatchError `conflict` if one of them, or a run that has just begun, may still publish
 */
export function refuseOpenRuns(entries: readonly LedgerEntry[], withRows: ReadonlySet<string>): void {
  const isAlive = ({ state, recordedAt }: Run) =>
    state !== 'failed' && Date.now() - Date.parse(recordedAt) < MAX_CONCURRENT_AGE_MS;
  const open = openRuns(entries).filter((run) => withRows.has(run.runId) || isAlive(run));
  const [first] = open;
  if (first === undefined) return;
  throw new ScoreBatchError('conflict', `run ${first.runId} has not finished and may publish rows that it has already read`, {
    details: open.slice(1).map(({ runId }) => `run ${runId} has not finished either`),
    hint: isSliceJob(first.job)
      ? 'wait for it to finish; if its process is gone, run `score-batch --slice` to finish it, then erase again'
      : `wait for it to finish; if its process is gone, run ${first.window.label} again to finish it, or with --fresh to abandon it, then erase again`,
  });
}

/**
 * Removes the person from the rows that a run has kept; with `dryRun` only counts them.
 *
 * @returns number of rows
 * @throws ScoreBatchError `refused` if somebody changed the kept rows
 */
export async function eraseKept(
  source: Source,
  frozen: FrozenTable,
  { values }: Pick<Person, 'values'>,
  dryRun: boolean,
): Promise<number> {
  if (!dryRun) return await asKept(frozen.runId, () => source.eraseFrozen(frozen, { values }));
  const person = { key: keyIn(frozen.columns, frozen.kept?.key ?? []), values };
  const [[count] = []] = await source.selectFrozen(frozen, (dialect, relation) => countPerson(dialect, relation, person));
  return Number(count);
}

/**
 * The rows that runs have kept.
 *
 * @throws ScoreBatchError `refused` if some cannot be read, because the person would remain in them
 */
export async function keptRows(source: Source, runIds: readonly string[]): Promise<readonly FrozenTable[]> {
  const found: FrozenTable[] = [];
  for (const runId of runIds) {
    const frozen = await asKept(runId, () => source.frozen(runId));
    if (frozen === undefined) throw unreadable(runId, ['some rows are missing, or another version of DuckDB counted them']);
    found.push(frozen);
  }
  return found;
}

/** Replaces the original error's hint, which is for a run. */
async function asKept<T>(runId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ScoreBatchError) || error.kind !== 'refused') throw error;
    throw unreadable(runId, [error.message, ...error.details], error);
  }
}

function unreadable(runId: string, details: readonly string[], cause?: unknown): ScoreBatchError {
  return new ScoreBatchError('refused', `the rows that run ${runId} kept cannot be read, so nobody can be erased from them`, {
    details,
    hint: 'find the process that changed them; to drop all kept rows, remove source.keep_rows and run `score-batch gc --apply`, then erase again',
    cause,
  });
}
