import { currentPublication, isSuperseded, type LedgerEntry, runsOf } from './ledger.ts';

/** What a run has in scratch or on this machine, or what a process that is gone has left. */
export interface ScratchArtifact {
  /** What it is called where it is: a table, a folder, a file. */
  readonly name: string;
  /** Undefined where a process made it for itself. */
  readonly run: string | undefined;
  /**
   * ISO instant after which it may go, whatever became of its run or process. Undefined where a process made it for itself and
   * is known to be gone.
   */
  readonly deadline: string | undefined;
}

export interface Verdict {
  readonly over: boolean;
  /** For people: why it may go, or what it is kept for. */
  readonly why: string;
}

/**
 * Whether what is left may go. Kept until its deadline is what a run can be gone on with, and what a refused run has for
 * people to look at; neither counts once another run has published the window: it could only lose at the publish lock.
 *
 * @param entries all of the run's window; none where the ledger does not know the run
 * @param now epoch milliseconds of the real clock
 */
export function mayDelete({ run: id, deadline }: ScratchArtifact, entries: readonly LedgerEntry[], now: number): Verdict {
  if (id === undefined && deadline === undefined) return { over: true, why: 'its process is gone' };
  const run = runsOf(entries).find(({ runId }) => runId === id);
  if (run?.state === 'published' || run?.state === 'completed' || run?.state === 'superseded')
    return { over: true, why: 'its run has published' };
  if (run?.state === 'skipped') return { over: true, why: 'its run had nothing to score' };
  const current = currentPublication(entries);
  if (run !== undefined && isSuperseded(run, current?.runId)) {
    return { over: true, why: `${current?.runId ?? 'another run'} has published the window since its run began` };
  }
  if (Date.parse(deadline ?? '') < now) return { over: true, why: `its deadline was ${deadline}` };
  if (id === undefined) return { over: false, why: `a process may still use it; until ${deadline}` };
  if (run === undefined) return { over: false, why: `the ledger does not know its run; until ${deadline}` };
  return {
    over: false,
    why: `its run ${run.state === 'refused' ? 'was refused and can be looked at' : 'can be gone on with'} until ${deadline}`,
  };
}
