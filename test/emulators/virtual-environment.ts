import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { FOLDER, ownPath } from './folder.ts';
import { findPython } from './python.ts';

/**
 * The Python of a virtual environment that has exactly what `NAME-requirements.txt` of a folder pins. It is made once and found again
 * by a hash of the pins and of the Python that made it.
 */
export async function virtualEnvironment(name: string, folder: string = import.meta.dirname): Promise<string> {
  const python = await findPython();
  const requirements = path.join(folder, `${name}-requirements.txt`);
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .update(python.identity)
    .digest('hex');
  const made = path.join(FOLDER, `${name}-${hash.slice(0, 12)}`);
  if (!existsSync(made)) {
    process.stderr.write(`Making ${path.relative('', made)}, once; later runs use it again.\n`);
    await make(python.command, requirements, made);
  }
  return interpreter(made);
}

/** Made under another name and renamed when whole: what is there is complete, and two who make it at once do not meet. */
async function make(python: string, requirements: string, folder: string): Promise<void> {
  const making = await ownPath(path.basename(folder));
  try {
    await run(python, ['-m', 'venv', making]);
    const options = ['--quiet', '--disable-pip-version-check', '--no-input', '--require-hashes', '--only-binary', ':all:'];
    await run(interpreter(making), ['-m', 'pip', 'install', ...options, '--requirement', requirements]);
    await rename(making, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

function interpreter(folder: string): string {
  return path.join(folder, 'bin', 'python');
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const [stderr, code] = await Promise.all([
    text(child.stderr),
    new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve)),
  ]);
  const last = stderr.trimEnd().split('\n').at(-1);
  if (code !== 0) throw new Error(`${path.basename(command)} ${args.slice(0, 3).join(' ')} failed (${last})`);
}
