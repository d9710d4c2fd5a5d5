import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { ScoreBatchError, systemCode, tooManyFiles } from '../errors.ts';

export const UNUSED = 'nothing of it is used; check what the registry has under this version';

/** Errors for a path that cannot exist: too long, below a file, or both file and folder. */
const NO_PATH = new Set(['ENAMETOOLONG', 'ENOTDIR', 'EEXIST', 'EISDIR']);
/** As for other disks: full ones may have room later. */
const FULL = new Set(['ENOSPC', 'EDQUOT']);

/**
 * Creates a new file and its folder; never writes through a link.
 *
 * @param artifact its path in the registry, for messages
 * @throws ScoreBatchError `configuration` if the path cannot exist beside the other files, otherwise as `writing`
 */
export async function newFile(file: string, artifact: string): Promise<FileHandle> {
  return await writing(file, async () => {
    try {
      await mkdir(path.dirname(file), { recursive: true });
      return await open(file, 'wx', 0o444);
    } catch (cause) {
      const code = systemCode(cause) ?? '';
      if (!NO_PATH.has(code)) throw cause;
      throw new ScoreBatchError(
        'configuration',
        `the registry names an artifact ${JSON.stringify(artifact.slice(0, 100))}, which cannot be a file here (${code})`,
        { hint: UNUSED, cause },
      );
    }
  });
}

/**
 * Runs `work`. A file system that refuses says nothing about the registry.
 *
 * @throws ScoreBatchError `unavailable` if the disk is full, `permission` if it refuses for another reason
 */
export async function writing<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    throw tooManyFiles(cause) ?? cannotWrite(file, code, cause);
  }
}

function cannotWrite(file: string, code: string, cause: unknown): ScoreBatchError {
  return new ScoreBatchError(FULL.has(code) ? 'unavailable' : 'permission', `${file} cannot be written (${code})`, {
    hint: 'free some space, or let this user write there; SCORE_BATCH_MODEL_CACHE sets the folder for downloads',
    cause,
  });
}
