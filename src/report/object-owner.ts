import type { LedgerEntry } from '../domain/ledger.ts';
import type { StoredObject } from '../store/object-store.ts';

/**
 * Whether this job has written an object: its metadata names the job and, except for an index, a run published for the window,
 * or one that such a run superseded together with its overlapping window. Another ledger may contain a job of the same name.
 *
 * @param entries of the window
 */
export function isOwnObject(
  { mark }: StoredObject,
  { job, entries }: { readonly job: string; readonly entries: readonly LedgerEntry[] },
): boolean {
  if (mark?.job !== job) return false;
  if (!('runId' in mark)) return true;
  return entries.some(
    ({ runId, state, details }) =>
      ((state === 'published' || state === 'completed') && runId === mark.runId) ||
      details.supersedes_windows?.some(({ run_id }) => run_id === mark.runId) === true,
  );
}
