import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { repository, temporaryFolder } from './project.ts';

/** Copies the built command line as another version of score-batch. @returns its entry file */
export async function otherVersion(version: string): Promise<string> {
  const folder = await temporaryFolder();
  await cp(repository('dist'), path.join(folder, 'dist'), { recursive: true });
  const own = JSON.parse(await readFile(repository('package.json'), 'utf8'));
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ ...own, version }));
  await symlink(repository('node_modules'), path.join(folder, 'node_modules'));
  return path.join(folder, 'dist', 'cli.js');
}
