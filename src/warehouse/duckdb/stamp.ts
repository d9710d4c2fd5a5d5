import { stat } from 'node:fs/promises';

/**
 * Shows whether a file was replaced or changed: its inode, size and change time, which no program can set. Does not read the
 * content, like Git's index (https://git-scm.com/docs/index-format).
 */
async function stampOf(file: string): Promise<string> {
  const { ino, size, ctimeNs } = await stat(file, { bigint: true });
  return `${ino}-${size}-${ctimeNs}`;
}

/** One stamp per file, in the same order. */
export async function stampsOf(files: readonly string[]): Promise<string[]> {
  return await Promise.all(files.map(stampOf));
}
