import { lstat, realpath } from 'node:fs/promises';

/**
 * The folder that a bundle's path leads to. A link is resolved once: if it were repointed while files are read, they would come
 * from two bundles.
 *
 * @param folder absolute path; returned unchanged if it is not a link, or does not exist
 */
export async function bundleFolder(folder: string): Promise<string> {
  try {
    return (await lstat(folder)).isSymbolicLink() ? await realpath(folder) : folder;
  } catch {
    return folder;
  }
}
