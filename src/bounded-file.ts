import { readFile, stat } from 'node:fs/promises';
import { ScoreBatchError, unreadable } from './errors.ts';

/**
 * Reads a whole untrusted file. Refuses devices and pipes, which may never end, and files above the limit.
 *
 * @param limit bytes
 * @param missingHint what to do if the file is missing
 * @throws ScoreBatchError `configuration` if it is missing, too large or not a regular file; `permission` if this user
 *   cannot read it
 */
export async function readBounded(file: string, limit: number, missingHint: string): Promise<Buffer> {
  const found = await stat(file).catch((cause: unknown) => {
    throw unreadable(file, cause, missingHint);
  });
  if (!found.isFile()) throw new ScoreBatchError('configuration', `${file} is not a file`, { hint: missingHint });
  if (found.size > limit) {
    throw new ScoreBatchError('configuration', `${file} has ${found.size} bytes, the limit is ${limit}`, {
      hint: 'check that it is the right file',
    });
  }
  try {
    return await readFile(file);
  } catch (cause) {
    throw unreadable(file, cause, missingHint);
  }
}
