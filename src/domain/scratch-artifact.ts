import { championRun } from './challenger.ts';
import { type KeptRows, keptUntil } from './kept-rows.ts';
import { currentPublication, isChallenged, isSuperseded, type LedgerEntry, runsOf } from './ledger.ts';

/** A temporary table, folder or file of a run or a process, in the warehouse's scratch or on this machine. */
export interface ScratchArtifact {
  /** Name of the table, folder or file. */
  readonly name: string;
  /** Undefined if it belongs to a process instead of a run. */
  readonly run: string | undefined;
  /**
   * ISO instant after which it may be deleted in any case. Undefined if it belongs to a process that is known to have ended.
   */
  readonly deadline: string | undefined;
  /** Set if it holds rows that outlive their run. */
  readonly kept?: KeptRows | undefined;
}

export interface Verdict {
  readonly deletable: boolean;
  /** For people: why it may be deleted, or why it is kept. */
  readonly why: string;
  /** ISO instant until which its rows are kept, whatever happened to their run. */
  readonly keptUntil?: string;
}

/**
 * Whether an artifact may be deleted. Rows that the job keeps stay until their time is over. Artifacts that a resume needs, or
 * that people can inspect after a refusal, stay until their deadline. Once another run has published the window, neither reason
 * counts: this run can no longer publish. Artifacts of a challenger's run are judged like those of its champion's, which ends
 * later.
 *
 * @param entries all of the job and the run's window; none if the run is not in the ledger
 * @param now epoch milliseconds of the real clock
 * @param keepDays `source.keep_rows`
 */
export function mayDelete(artifact: ScratchArtifact, entries: readonly LedgerEntry[], now: number, keepDays?: number): Verdict {
  if (artifact.kept === undefined) return mayDeleteUnkept(artifact, entries, now);
  const until = keptUntil(artifact.kept, keepDays);
  if (Date.parse(until) > now) return { deletable: false, why: `its rows are kept until ${until}`, keptUntil: until };
  return { ...mayDeleteUnkept(artifact, entries, now), keptUntil: until };
}

function mayDeleteUnkept({ run: id, deadline }: ScratchArtifact, entries: readonly LedgerEntry[], now: number): Verdict {
  if (id === undefined && deadline === undefined) return { deletable: true, why: 'its process has ended' };
  const run = runsOf(entries).find(({ runId }) => id !== undefined && runId === championRun(id));
  if (run !== undefined && isChallenged(run, entries) && Date.parse(deadline ?? '') >= now)
    return { deletable: false, why: `its challenger needs it until the run is completed, or until ${deadline}` };
  if (run?.state === 'published' || run?.state === 'completed' || run?.state === 'superseded')
    return { deletable: true, why: 'its run has published' };
  if (run?.state === 'skipped') return { deletable: true, why: 'its run had nothing to score' };
  const current = currentPublication(entries);
  if (run !== undefined && isSuperseded(run, current)) {
    return { deletable: true, why: `${current?.runId ?? 'another run'} has published the window since its run started` };
  }
  if (Date.parse(deadline ?? '') < now) return { deletable: true, why: `its deadline was ${deadline}` };
  if (id === undefined) return { deletable: false, why: `a process may still use it; until ${deadline}` };
  if (run === undefined) return { deletable: false, why: `its run is not in the ledger; until ${deadline}` };
  return {
    deletable: false,
    why: `its run ${run.state === 'refused' ? 'was refused and can be inspected' : 'can be resumed'} until ${deadline}`,
  };
}
