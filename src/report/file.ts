import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Publication } from '../domain/ledger.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';
import { proveWritable } from '../writable-folder.ts';
import { type PendingName, pendingBeside, pendingPath } from './pending-name.ts';

/**
 * A report file that is written beside its final place and appears there whole, or not at all.
 *
 * Writers of one window need no lock: the one of the newest publication wins, however long another was stopped and wherever.
 * Each makes its pending file, whose name tells the number of its publication, **before** it reads in the ledger that its run
 * is still the published one. Only then it removes what is pending of lower numbers, and renames its own. So a file of an
 * older publication either was there when a newer one's writer removed it, and its rename fails; or it was made later, and
 * then its writer reads the ledger later still, finds the newer publication and does not rename. It takes a folder in which
 * whoever lists it after making a file sees every file that was made before, which local and network file systems are.
 *
 * Killed processes of the same run leave files of the same publication. Those that were there when the report was put in place go
 * once the ledger says that it is written: a process of the run that lives finds its own gone, and reads there that it is not
 * needed.
 */
export interface PendingFile {
  write(data: string | Uint8Array): Promise<void>;
  /** Puts everything on disk; only then may it be put in its place. */
  finish(): Promise<void>;
  /**
   * Removes what is pending of older publications and puts it in its final place; nothing happens a second time.
   *
   * @returns false where it is gone: the writer of a newer publication has removed it, or another one of this publication whose
   *   report is in place
   */
  replace(): Promise<boolean>;
  /** Removes what else was pending of this publication when this was put in place; only once the ledger says that it was. */
  removeOthers(): Promise<void>;
  /** Removes what was written; nothing happens once it is in its place. */
  discard(): Promise<void>;
}

/**
 * @param file final path; folders are made
 * @throws ScoreBatchError `report` from every method where the file system refuses
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
    // Unlike `write`, it goes on until every byte is written.
    write: (data) => guarded(file, () => handle.writeFile(data)),
    finish: () =>
      guarded(file, async () => {
        await handle.sync();
        await close();
      }),
    replace: () =>
      guarded(file, async () => {
        if (replaced) return true;
        const pending = (await pendingBeside(file)).filter((other) => other.path !== temporary);
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
    // The report is written: what stays is collected by `gc`.
    removeOthers: () => removeAll(others).catch(() => undefined),
    async discard() {
      await close().catch(() => undefined);
      await rm(temporary, { force: true }).catch(() => undefined);
    },
  };
}

/**
 * Proves that a report can be written, under a name as long as it will have, and leaves nothing.
 *
 * @param runId of a run that there could be
 * @throws ScoreBatchError `permission` where the file system refuses
 */
export async function proveReport(file: string, runId: string): Promise<void> {
  try {
    await proveWritable(path.dirname(file), path.basename(pendingPath(file, { number: 0, runId })));
  } catch (cause) {
    if (systemCode(cause) === undefined) throw cause;
    throw new ScoreBatchError('permission', `the report ${file} cannot be written: ${reasonOf(cause)}`, {
      hint: 'make the folder, or give the user that runs score-batch the right to write there',
      cause,
    });
  }
}

async function removeAll(pending: readonly PendingName[]): Promise<void> {
  for (const { path: name } of pending) await rm(name, { force: true });
}

/** A rename is on disk only once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function guarded<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    throw new ScoreBatchError('report', `the report ${file} cannot be written: ${reasonOf(cause) ?? code}`, {
      hint: 'the scores are published; mend the folder and run `score-batch report` for the same window',
      cause,
    });
  }
}

/** `ENOSPC: no space left on device`, without the call and the temporary names that follow. */
function reasonOf(cause: unknown): string | undefined {
  return cause instanceof Error ? cause.message.split(', ')[0] : undefined;
}
