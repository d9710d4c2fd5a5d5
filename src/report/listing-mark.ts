import { open } from 'node:fs/promises';
import { systemCode } from '../errors.ts';

/** What an index page states about itself. */
export interface ListingMark {
  /** Name of the job: lower-case letters, digits, `-` and `_`. */
  readonly job: string;
  /** The page shows the ledger up to this `entry_number`. */
  readonly entry: number;
}

/** The mark is near the top of the page. */
const HEAD_BYTES = 8_192;

/** Two elements for the head of an index page. Put them at its top: only the first 8 KiB of a file are read. */
export function listingMark({ job, entry }: ListingMark): string {
  return `<meta name="score-batch-job" content="${job}"><meta name="score-batch-entry" content="${entry}">`;
}

/** @returns undefined if the page has no mark */
export function parseListingMark(html: string): ListingMark | undefined {
  const of = (name: string) =>
    new RegExp(`<meta name="score-batch-${name}" content="([\\w-]+)">`).exec(html.slice(0, HEAD_BYTES))?.[1];
  const [job, entry] = [of('job'), Number(of('entry'))];
  return job === undefined || !Number.isSafeInteger(entry) ? undefined : { job, entry };
}

/** @returns undefined if there is no such file, or it is not an index page */
export async function readListingMark(file: string): Promise<ListingMark | undefined> {
  try {
    const handle = await open(file, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return parseListingMark(buffer.toString('utf8', 0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch (error) {
    // A folder, a dangling link, or no right to read: not a page that this job has written.
    if (systemCode(error) !== undefined) return undefined;
    throw error;
  }
}
