import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Git ignores it; it can be deleted at any time. */
const TOOLS = path.join(import.meta.dirname, '../../.tools');
const VERSION = '4.4.0';

/**
 * Kafka's jars and what they need, from Maven Central the first time.
 *
 * @returns the class path
 * @throws Error in one line if there is no Java or no Maven
 */
export async function kafkaClassPath(): Promise<string> {
  await need('java', ['-version']);
  const folder = path.join(TOOLS, `kafka-${VERSION}`);
  if (!(await isFolder(folder))) await install(folder);
  return path.join(folder, '*');
}

async function install(folder: string): Promise<void> {
  await need('mvn', ['--version']);
  // Another process may install them, too: a name of its own, renamed once all are there.
  const own = `${folder}.${process.pid}`;
  await mkdir(own, { recursive: true });
  try {
    const project = path.join(own, 'project');
    await cp(path.join(import.meta.dirname, 'pom.xml'), path.join(project, 'pom.xml'));
    const jars = path.join(own, 'jars');
    await run('mvn', ['-B', '-q', '-f', project, 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`]).catch(
      (error) => {
        throw new Error(
          `Maven did not bring Kafka's jars: ${
            String(error.stdout ?? error)
              .trim()
              .split('\n')[0]
          }`,
        );
      },
    );
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
