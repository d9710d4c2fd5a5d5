import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Left } from '../domain/left.ts';

/** What a run's folder, table or stage in scratch says of itself; what does not say it is not ours and is left alone. */
export interface Mark {
  readonly createdBy: 'score-batch';
  readonly job: string;
  readonly run: string;
  /** ISO instant after which it may go, whatever became of its run. */
  readonly deadline: string;
}

const LIFETIME_MS = 7 * 86_400_000;
const FILE = 'score-batch.json';

export function newMark(job: string, run: string): Mark {
  return { createdBy: 'score-batch', job, run, deadline: new Date(Date.now() + LIFETIME_MS).toISOString() };
}

/** @param text JSON of a mark, or anything else */
export function readMark(text: string | null | undefined): Mark | undefined {
  try {
    const mark = JSON.parse(text ?? '') as Mark | null;
    return mark?.createdBy === 'score-batch' ? mark : undefined;
  } catch {
    return undefined;
  }
}

/** What carries the mark, by the name that it has where it is; nothing where the mark is not one of the job. */
export function leftBy(job: string, name: string, mark: Mark | undefined): Left[] {
  return mark?.job === job ? [{ name, run: mark.run, deadline: mark.deadline }] : [];
}

/** Marks a folder. Renamed into place: a mark that was written by half would keep the folder from ever being collected. */
export async function markFolder(folder: string, job: string, run: string): Promise<void> {
  const pending = path.join(folder, `${FILE}.${randomBytes(4).toString('hex')}`);
  await writeFile(pending, JSON.stringify(newMark(job, run)));
  await rename(pending, path.join(folder, FILE));
}

export async function readFolderMark(folder: string): Promise<Mark | undefined> {
  return readMark(await readFile(path.join(folder, FILE), 'utf8').catch(() => undefined));
}
