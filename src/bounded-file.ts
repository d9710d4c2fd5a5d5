import { readFile, stat } from 'node:fs/promises';
import { ScoreBatchError, unreadable } from './errors.ts';

/**
 * A whole file that comes from outside: never a device or a pipe, which may not end, and never more than it may sensibly be.
 *
 * @param limit bytes
 * @param missingHint what to do where it is missing
 * @throws ScoreBatchError `configuration` where it is larger, no file, or not there; `permission` where it may not be read
 */
export async function readBounded(file: string, limit: number, missingHint: string): Promise<Buffer> {
  const found = await stat(file).catch((cause: unknown) => {
    throw unreadable(file, cause, missingHint);
  });
  if (!found.isFile()) throw new ScoreBatchError('configuration', `${file} is no file`, { hint: missingHint });
  if (found.size > limit) {
    throw new ScoreBatchError('configuration', `${file} has ${found.size} bytes, and may have ${limit}`, {
      hint: 'check that it is the file that was meant',
    });
  }
  try {
    return await readFile(file);
  } catch (cause) {
    throw unreadable(file, cause, missingHint);
  }
}
