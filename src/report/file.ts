import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Publication } from '../domain/ledger.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';
import { assertWritable } from '../writable-folder.ts';
import { listPending, type PendingName, pendingPath } from './pending-name.ts';

/**
 * A report file that is written under a pending name in the final folder, then renamed. It appears whole or not at all.
 *
 * Writers of one window need no lock: the newest publication wins, no matter where or how long another writer pauses. Each
 * writer creates its pending file, with the publication number in its name, **before** it checks in the ledger that its run
 * is still published. Then it removes pending files with lower numbers, and renames its own. So there are two cases for the
 * file of an older publication. If it existed when the newer writer removed files, it is gone and its rename fails. If it
 * was created later, its writer read the ledger later still, saw the newer publication and does not rename. This requires
 * that listing a folder shows every file created before; local and network file systems do.
 *
 * Killed processes of the same run leave pending files of the same publication. Those that existed when the report was put
 * in place are removed once the ledger has the run as completed. A live process of the run then finds its file gone, and
 * reads in the ledger that it is not needed.
 */
export interface PendingFile {
  /** Where it is until it is renamed. Something else, such as DuckDB, may write it instead of `write`. */
  readonly path: string;
  write(data: string | Uint8Array): Promise<void>;
  /** Syncs the file to disk. Call it before `replace`. */
  finish(): Promise<void>;
  /**
   * Removes the pending files of older publications and renames this one to its final name. A second call does nothing.
   *
   * @returns false if this file is gone: the writer of a newer publication removed it, or a writer of this publication that
   *   has put its report in place
   */
  replace(): Promise<boolean>;
  /**
   * Removes the other pending files of this publication found by `replace`. Call it once the ledger has the run as
   * completed.
   */
  removeOthers(): Promise<void>;
  /** Removes the pending file. Does nothing after `replace`. */
  discard(): Promise<void>;
}

/**
 * @param file final path; missing folders are created
 * @throws ScoreBatchError `report` from every method if the file system refuses
 */
export async function createPending(file: string, publication: Pick<Publication, 'number' | 'runId'>): Promise<PendingFile> {
  const temporary = pendingPath(file, publication);
  const handle = await guarded(file, async () => {
    await mkdir(path.dirname(file), { recursive: true });
    return await open(temporary, 'wx');
  });
  let closed = false;
  let replaced = false;
  let others: readonly PendingName[] = [];
  const close = async (): Promise<void> => {
    if (!closed) await handle.close();
    closed = true;
  };
  return {
    path: temporary,
    // `write` may write only a part of the data; `writeFile` writes all of it.
    write: (data) => guarded(file, () => handle.writeFile(data)),
    finish: () =>
      guarded(file, async () => {
        await handle.sync();
        await close();
      }),
    replace: () =>
      guarded(file, async () => {
        if (replaced) return true;
        const pending = (await listPending(file)).filter((other) => other.path !== temporary);
        await removeAll(pending.filter((other) => other.publication < publication.number));
        try {
          await rename(temporary, file);
        } catch (error) {
          if (systemCode(error) === 'ENOENT') return false;
          throw error;
        }
        replaced = true;
        others = pending.filter((other) => other.publication === publication.number);
        await syncFolder(path.dirname(file));
        return true;
      }),
    // The report is in place. `gc` removes any file that stays.
    removeOthers: () => removeAll(others).catch(() => undefined),
    async discard() {
      await close().catch(() => undefined);
      await rm(temporary, { force: true }).catch(() => undefined);
    },
  };
}

/**
 * Checks that a report can be written under a pending name of realistic length. Leaves no file behind.
 *
 * @param runId a plausible run id
 * @throws ScoreBatchError `permission` if the file system refuses
 */
export async function assertReportWritable(file: string, runId: string): Promise<void> {
  try {
    await assertWritable(path.dirname(file), path.basename(pendingPath(file, { number: 0, runId })));
  } catch (cause) {
    if (systemCode(cause) === undefined) throw cause;
    throw new ScoreBatchError('permission', `the report ${file} cannot be written: ${reasonOf(cause)}`, {
      hint: 'create the folder, or give the user that runs score-batch permission to write there',
      cause,
    });
  }
}

async function removeAll(pending: readonly PendingName[]): Promise<void> {
  for (const { path: name } of pending) await rm(name, { force: true });
}

/** A rename is durable only once its folder is synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Runs `work`. @throws ScoreBatchError `report` instead of the file system's own error */
export async function guarded<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    throw unwritable(file, reasonOf(cause) ?? code, cause);
  }
}

export function unwritable(file: string, reason: string, cause: unknown): ScoreBatchError {
  return new ScoreBatchError('report', `the report ${file} cannot be written: ${reason}`, {
    hint: 'the scores are published; fix the folder and run `score-batch report` for the same window',
    cause,
  });
}

/** `ENOSPC: no space left on device`, without the system call and the temporary name that follow. */
export function reasonOf(cause: unknown): string | undefined {
  return cause instanceof Error ? cause.message.split(', ')[0] : undefined;
}
