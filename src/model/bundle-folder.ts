import { lstat, realpath } from 'node:fs/promises';

/**
 * The folder that a bundle's path leads to. A link is followed once: if it is repointed while its files are read, they would
 * be of two bundles.
 *
 * @param folder absolute path; returned as it is if it is not a link, or does not exist
 */
export async function bundleFolder(folder: string): Promise<string> {
  try {
    return (await lstat(folder)).isSymbolicLink() ? await realpath(folder) : folder;
  } catch {
    return folder;
  }
}
