import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inodeOf } from '../../duckdb/spill.ts';
import { namesIn } from '../run-folder.ts';

// A run that scores rows while the query returns them keeps the file open for reading, and no other process can write to it.
// It leaves a note next to the file with the expected end, so that other runs know how long to wait. The note is only a
// hint: the lock of a dead process is gone, whatever its note says. The note's name contains the file's inode, like the name
// of a spill folder.

const NOTE = /^reading-(of-\d+-)?[0-9a-f]{8}\.json$/;

/** The scratch folder of a database file. */
interface ScratchOf {
  /** Absolute path of the folder. */
  readonly scratch: string;
}

/** A reader may take this many times its estimate, plus `MIN_MS`. */
const ESTIMATE_FACTOR = 3;
const MIN_MS = 60_000;

/**
 * Leaves a note for other processes that the open file will be read for a while.
 *
 * @param seconds estimated duration
 * @returns a function that removes the note
 */
export async function noteReading(
  { path: file, scratch }: ScratchOf & { readonly path: string },
  seconds: number,
): Promise<() => Promise<void>> {
  await mkdir(scratch, { recursive: true });
  const inode = await inodeOf(file);
  const of = inode === undefined ? '' : `of-${inode}-`;
  const note = path.join(scratch, `reading-${of}${randomBytes(4).toString('hex')}.json`);
  await writeFile(note, JSON.stringify({ until: Date.now() + MIN_MS + ESTIMATE_FACTOR * 1000 * seconds }));
  return () => rm(note, { force: true });
}

export function isReadingNote(name: string): boolean {
  return NOTE.test(name);
}

/**
 * When the runs that are reading the file should have finished, epoch milliseconds; 0 if there are none. Removes expired
 * notes.
 */
export async function readUntil({ scratch }: ScratchOf): Promise<number> {
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

/** Undefined if the note is gone or incomplete. */
async function untilOf(note: string): Promise<number | undefined> {
  try {
    const { until } = JSON.parse(await readFile(note, 'utf8')) as { until?: number };
    return until;
  } catch {
    return undefined;
  }
}
