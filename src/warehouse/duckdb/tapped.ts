import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { scorerOf } from '../../domain/attempt-id.ts';
import type { EarlierAttempt, TappedWindow } from '../../domain/tapped-window.ts';
import { systemCode } from '../../errors.ts';
import { OUTCOMES, ROWS } from '../../outcomes/folder.ts';
import { namesIn } from '../run-folder.ts';
import { bootId } from './boot.ts';
import type { DuckdbFile } from './file.ts';
import { countRows } from './row-count.ts';
import { makeRunFolder, runFolder } from './scratch.ts';

// A tapped attempt is a folder. While it is being filled it has its own name in the run's folder, where a later process can
// pick up complete files. Once complete, it is renamed into staging.

const PREFIX = 'tapping-';
const BATCH = 'batch.json';
const WINDOW = 'window.json';

/** Makes the folder of a new attempt. */
export async function makeTapFolder(file: DuckdbFile, runId: string, attempt: string, batchRows: number): Promise<string> {
  await makeRunFolder(file, runId, 'staged');
  const folder = await makeRunFolder(file, runId, `${PREFIX}${attempt}`);
  // Attempts are not synced: after a power loss, scoring again takes less time than syncing would.
  await writeFile(path.join(folder, BATCH), JSON.stringify({ batchRows, boot: await bootId() }));
  return folder;
}

export function tappedFolder(staging: string, attempt: string): string {
  return path.join(staging, `chunk-0-${attempt}.tapped`);
}

/** Stages a complete attempt. */
export async function stageTapped(staging: string, folder: string, window: TappedWindow): Promise<void> {
  await writeFile(path.join(folder, WINDOW), JSON.stringify(window));
  await rename(folder, tappedFolder(staging, window.attempt));
}

/** @throws SyntaxError or the file system's error if it cannot be read */
export async function readTapped(folder: string): Promise<TappedWindow> {
  return JSON.parse(await readFile(path.join(folder, WINDOW), 'utf8')) as TappedWindow;
}

/** All files of an attempt's folder, by absolute path. */
export async function tappedFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** Parquet files of an attempt's rows. */
export async function rowFiles(folder: string): Promise<string[]> {
  const names = await namesIn(path.join(folder, ROWS));
  return names.sort().map((name) => path.join(folder, ROWS, name));
}

/** Unfinished attempts of the run by this scorer, left by killed processes; only their complete files. */
export async function earlierAttempts(file: DuckdbFile, runId: string, scorer: string): Promise<EarlierAttempt[]> {
  const names = (await namesIn(runFolder(file, runId))).filter((name) => name.startsWith(PREFIX));
  const earlier: EarlierAttempt[] = [];
  for (const name of names.filter((one) => scorerOf(one.slice(PREFIX.length)) === scorer)) {
    const folder = path.join(runFolder(file, runId), name);
    const batchRows = await trustedBatchRows(folder);
    const outcomes = path.join(folder, OUTCOMES);
    if (batchRows === undefined || !existsSync(outcomes)) continue;
    const files: string[] = [];
    for (const rows of await rowFiles(folder)) if (await countRows(file, runId, [rows])) files.push(rows);
    if (files.length > 0) earlier.push({ files, outcomes, batchRows });
  }
  return earlier;
}

/** Rows per batch of an attempt; undefined if the machine was restarted since, because its files cannot be trusted. */
export async function trustedBatchRows(folder: string): Promise<number | undefined> {
  try {
    const { batchRows, boot } = JSON.parse(await readFile(path.join(folder, BATCH), 'utf8')) as {
      batchRows?: number;
      boot?: string;
    };
    return boot === (await bootId()) ? batchRows : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Removes an attempt unless it has a file that can be reused. */
export async function giveUp(file: DuckdbFile, runId: string, folder: string): Promise<void> {
  for (const rows of await rowFiles(folder)) if (await countRows(file, runId, [rows])) return;
  await rm(folder, { recursive: true, force: true });
}
