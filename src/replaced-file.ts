import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { ScoreBatchError } from './errors.ts';

/**
 * Replaces a file atomically: writes a temporary file in the same folder, then renames it. Readers see the old file or the
 * whole new one.
 *
 * @throws ScoreBatchError `permission` if it cannot be written; the temporary file is removed
 */
export async function replaceFile(file: string, content: string | Uint8Array, hint: string): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}.partial`);
  try {
    await mkdir(path.dirname(file), { recursive: true });
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ScoreBatchError('permission', `${file} cannot be written: ${reason}`, { hint, cause });
  }
}
