import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ScratchArtifact } from '../domain/scratch-artifact.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';
import type { Scratch } from '../warehouse/warehouse.ts';
import { guarded, reasonOf } from './file.ts';

/** A local report file that is to be uploaded as an object. */
export interface Draft {
  readonly path: string;
  write(data: string | Uint8Array): Promise<void>;
  /** Closes the file. Call it before uploading. */
  finish(): Promise<void>;
  /** Removes it. */
  discard(): Promise<void>;
}

/** The same as for an unfinished report file beside its place. */
const LIFETIME_MS = 86_400_000;

/**
 * Creates a file in its own folder, which only this user can read.
 *
 * @param file address of the object, for messages
 * @throws ScoreBatchError `report` from every method if the file system refuses
 */
export async function createDraft(file: string, job: string): Promise<Draft> {
  const folder = await guarded(file, () => mkdtemp(path.join(tmpdir(), prefixOf(job))));
  const draft = path.join(folder, 'report');
  const handle = await guarded(file, () => open(draft, 'wx', 0o600));
  let closed = false;
  const close = async (): Promise<void> => {
    if (!closed) await handle.close();
    closed = true;
  };
  return {
    path: draft,
    write: (data) => guarded(file, () => handle.writeFile(data)),
    finish: () => guarded(file, close),
    async discard() {
      await close().catch(() => undefined);
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    },
  };
}

/**
 * Checks that drafts can be written, without leaving one.
 *
 * @param file address of an object, for messages
 * @throws ScoreBatchError `permission` if the file system refuses
 */
export async function assertDraftsWritable(file: string): Promise<void> {
  const folder = tmpdir();
  try {
    await rm(await mkdtemp(path.join(folder, 'score-batch-upload.')), { recursive: true });
  } catch (cause) {
    if (systemCode(cause) === undefined) throw cause;
    throw new ScoreBatchError('permission', `the report ${file} cannot be prepared in ${folder}: ${reasonOf(cause)}`, {
      hint: 'set TMPDIR to an existing folder that the user that runs score-batch can write to',
      cause,
    });
  }
}

/**
 * Drafts that killed processes of a job have left on this machine, each with a deadline one day after its last write. A
 * live process whose draft is dropped writes it again.
 */
export function abandonedDrafts(job: string): Scratch {
  return {
    async listArtifacts() {
      const left: ScratchArtifact[] = [];
      for (const name of await readdir(tmpdir()).catch(() => [])) {
        if (!name.startsWith(prefixOf(job))) continue;
        const folder = path.join(tmpdir(), name);
        const found = await stat(path.join(folder, 'report')).catch(() => stat(folder).catch(() => undefined));
        // Other users of the machine may have a job of the same name.
        if (found === undefined || (process.getuid !== undefined && found.uid !== process.getuid())) continue;
        left.push({ name: folder, run: undefined, deadline: new Date(found.mtimeMs + LIFETIME_MS).toISOString() });
      }
      return left;
    },
    drop: ({ name }) => rm(name, { recursive: true, force: true }),
  };
}

/** A job's name contains no dot. */
function prefixOf(job: string): string {
  return `score-batch-upload-${job}.`;
}
