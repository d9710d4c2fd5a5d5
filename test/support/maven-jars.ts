import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/root.ts';

const run = promisify(execFile);

/** Git ignores it; it can be deleted at any time. */
const TOOLS = path.join(ROOT, '.tools');

/**
 * The jars that a `pom.xml` names and what they need, from Maven Central the first time; found again by a hash of the file.
 *
 * @param pom path in the repository
 * @returns the class path
 * @throws Error in one line if there is no Java or no Maven
 */
export async function mavenJars(name: string, pom: string): Promise<string> {
  await need('java', ['-version']);
  const hash = createHash('sha256').update(await readFile(path.join(ROOT, pom)));
  const folder = path.join(TOOLS, `${name}-${hash.digest('hex').slice(0, 12)}`);
  if (!(await isFolder(folder))) await install(name, pom, folder);
  return path.join(folder, '*');
}

async function install(name: string, pom: string, folder: string): Promise<void> {
  await need('mvn', ['--version']);
  // Another process may install them, too: a name of its own, renamed once all are there.
  const own = `${folder}.${process.pid}`;
  await mkdir(own, { recursive: true });
  try {
    const project = path.join(own, 'project');
    await cp(path.join(ROOT, pom), path.join(project, 'pom.xml'));
    const jars = path.join(own, 'jars');
    const command = ['-B', '-q', '-f', project, 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`];
    await run('mvn', command).catch((error) => {
      const [first] = String(error.stdout ?? error)
        .trim()
        .split('\n');
      throw new Error(`Maven did not bring the jars of ${name}: ${first}`);
    });
    await rename(jars, folder).catch(async (error: NodeJS.ErrnoException) => {
      if (!(await isFolder(folder))) throw error;
    });
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

async function need(program: string, args: readonly string[]): Promise<void> {
  await run(program, args).catch(() => {
    throw new Error(`${program} cannot be run: apt-get install --no-install-recommends openjdk-17-jre-headless maven`);
  });
}

function isFolder(folder: string): Promise<boolean> {
  return readdir(folder).then(
    (names) => names.length > 0,
    () => false,
  );
}
