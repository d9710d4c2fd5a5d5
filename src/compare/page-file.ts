import { open } from 'node:fs/promises';
import { ScoreBatchError, systemCode } from '../errors.ts';

const START = '<!doctype html>';

/** @throws ScoreBatchError `usage` if the file exists and is not a page: a typo must not overwrite a job file or a warehouse */
export async function refuseOtherFile(file: string): Promise<void> {
  const found = await startOf(file);
  if (found === undefined || found === START) return;
  throw new ScoreBatchError('usage', `--page ${file} exists and is not an HTML page, so it is not replaced`, {
    hint: 'name another file',
  });
}

/** The first characters of a file; undefined if there is none. */
async function startOf(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file, 'r');
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(START.length), 0, START.length, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    return `${systemCode(error)}`;
  }
}
