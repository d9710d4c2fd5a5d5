import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inodeOf } from '../../duckdb/spill.ts';
import { namesIn } from '../run-folder.ts';

// While a run scores rows on their way out of the query it has the file open for reading, and nobody can write it. It leaves a note
// beside the file that says until when that will be over, so that other runs know how long to wait. A note proves nothing: who is
// gone has left the lock too. So the note's name says which file that is, as the name of a folder of spill does.

const NOTE = /^reading-(of-\d+-)?[0-9a-f]{8}\.json$/;

/** A database file with a folder beside it. */
interface Beside {
  /** Absolute path of the folder. */
  readonly scratch: string;
}

/** Times that a reader may take longer than was guessed, and what it may take in any case. */
const TIMES = 3;
const MIN_MS = 60_000;

/**
 * Tells others that the file, which is open, is read for a while.
 *
 * @param seconds that it is guessed to take
 * @returns takes the note away again
 */
export async function noteReading(
  { path: file, scratch }: Beside & { readonly path: string },
  seconds: number,
): Promise<() => Promise<void>> {
  await mkdir(scratch, { recursive: true });
  const inode = await inodeOf(file);
  const of = inode === undefined ? '' : `of-${inode}-`;
  const note = path.join(scratch, `reading-${of}${randomBytes(4).toString('hex')}.json`);
  await writeFile(note, JSON.stringify({ until: Date.now() + MIN_MS + TIMES * 1000 * seconds }));
  return () => rm(note, { force: true });
}

export function isReadingNote(name: string): boolean {
  return NOTE.test(name);
}

/** Until when runs that read the file now may take, in epoch milliseconds; 0 where none does. Notes that are past are removed. */
export async function readUntil({ scratch }: Beside): Promise<number> {
  let latest = 0;
  for (const name of (await namesIn(scratch)).filter(isReadingNote)) {
    const note = path.join(scratch, name);
    const until = await untilOf(note);
    if (until === undefined) continue;
    if (until < Date.now()) await rm(note, { force: true });
    latest = Math.max(latest, until);
  }
  return latest;
}

/** Undefined where the note is gone, or not written to its end. */
async function untilOf(note: string): Promise<number | undefined> {
  try {
    const { until } = JSON.parse(await readFile(note, 'utf8')) as { until?: number };
    return until;
  } catch {
    return undefined;
  }
}
