import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { ScoreBatchError, systemCode } from '../errors.ts';
import { isAlive } from '../process.ts';

/** A report file that is written beside its final place and appears there whole, or not at all. */
export interface PendingFile {
  write(data: string | Uint8Array): Promise<void>;
  /** Puts everything on disk; only then may it be renamed. */
  finish(): Promise<void>;
  /** Puts it in its final place; nothing happens a second time. */
  rename(): Promise<void>;
  /** Removes what was written; nothing happens after a rename. */
  discard(): Promise<void>;
}

/**
 * @param file final path; folders are made
 * @throws ScoreBatchError `report` from every method where the file system refuses
 */
export async function createPending(file: string, runId: string): Promise<PendingFile> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${runId}.${hostname()}.${process.pid}`);
  const handle = await guarded(file, async () => {
    await mkdir(path.dirname(file), { recursive: true });
    await removeAbandoned(file);
    return await open(temporary, 'w');
  });
  let closed = false;
  let renamed = false;
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
    rename: () =>
      guarded(file, async () => {
        if (renamed) return;
        await rename(temporary, file);
        renamed = true;
        await syncFolder(path.dirname(file));
      }),
    async discard() {
      await close().catch(() => undefined);
      await rm(temporary, { force: true }).catch(() => undefined);
    },
  };
}

/** What processes of this machine left that were killed while they wrote the same report; another's may still be at it. */
async function removeAbandoned(file: string): Promise<void> {
  const [start, end] = [`.${path.basename(file)}.`, `.${hostname()}.`];
  for (const name of await readdir(path.dirname(file))) {
    const at = name.lastIndexOf(end);
    if (!name.startsWith(start) || at < 0 || isAlive(Number(name.slice(at + end.length)))) continue;
    await rm(path.join(path.dirname(file), name), { force: true });
  }
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
