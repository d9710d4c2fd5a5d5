import { stat } from 'node:fs/promises';

/**
 * What tells whether a file is still the one that was written, and as it was written: its inode, size and time of change, which
 * no program can set. Costs no look at the content, as in Git's index (https://git-scm.com/docs/index-format).
 */
async function stampOf(file: string): Promise<string> {
  const { ino, size, ctimeNs } = await stat(file, { bigint: true });
  return `${ino}-${size}-${ctimeNs}`;
}

/** One stamp for each file, in their order. */
export async function stampsOf(files: readonly string[]): Promise<string[]> {
  return await Promise.all(files.map(stampOf));
}
