import { createPending, guarded } from './file.ts';
import { parseListingMark, readListingMark } from './listing-mark.ts';
import { listPending } from './pending-name.ts';

/** The index page of a job, generated from the ledger up to an entry. */
export interface ListingContent {
  /** Highest `entry_number` that the page includes. */
  readonly entry: number;
  /** With `listingMark` in its head. */
  readonly html: string;
}

/**
 * The index page under a pending name, then renamed. All windows of a job share it, and publication numbers do not order
 * windows, so `entry_number` of the ledger does: an index never replaces one generated from more entries.
 *
 * No lock is needed, and `Ledger.decide` would not be one: it lets only the writers of the same window take turns. A writer
 * creates its pending file with its entry number in the name, lists the other pending files, reads the number of the index that
 * is there, removes pending files with lower numbers, and renames its own; in this order. Suppose that the writer of the lower
 * number renames last. Then its pending file did not exist when the other writer removed lower ones, so it was created after
 * the other's. Either it sees the other's file in the list, or that was already renamed and it reads its number. In both cases
 * it does not rename.
 */
export interface PendingListing {
  /**
   * A second call does nothing.
   *
   * @returns `in place` if this index is there, or a newer one; `behind` if another process is about to put a newer one there,
   * or has removed this file: generate the index again
   */
  replace(): Promise<'in place' | 'behind'>;
  /** Removes pending files of the same entry that killed processes left. */
  removeOthers(): Promise<void>;
  /** Removes the pending file. Does nothing after `replace`. */
  discard(): Promise<void>;
}

/**
 * Writes the index under a pending name.
 *
 * @param file final path
 * @throws ScoreBatchError `report` if the file system refuses
 */
export async function createListing(
  file: string,
  { job, runId }: { readonly job: string; readonly runId: string },
  { entry, html }: ListingContent,
): Promise<PendingListing> {
  const mark = parseListingMark(html);
  if (mark?.job !== job || mark.entry !== entry) throw new Error(`the index does not state its job and entry ${entry}`);
  const pending = await createPending(file, { number: entry, runId });
  try {
    await pending.write(html);
    await pending.finish();
  } catch (error) {
    await pending.discard();
    throw error;
  }
  let done = false;
  return {
    async replace() {
      if (done) return 'in place';
      const others = await guarded(file, () => listPending(file));
      if (others.some(({ publication }) => publication > entry)) return 'behind';
      const there = await readListingMark(file);
      done = (there?.job === job && there.entry > entry) || (await pending.replace());
      return done ? 'in place' : 'behind';
    },
    removeOthers: () => pending.removeOthers(),
    discard: () => pending.discard(),
  };
}
