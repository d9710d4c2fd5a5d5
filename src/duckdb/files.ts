import { readdir } from 'node:fs/promises';
import path from 'node:path';

/** Paths of the files in a folder, sorted by name. @throws the file system's error if the folder does not exist */
export async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).sort().map((name) => path.join(folder, name));
}
