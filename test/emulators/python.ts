import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

const OLDEST = [3, 11] as const;

export interface Python {
  readonly command: string;
  /** What a virtual environment made with it depends on: where it lies and its version. */
  readonly identity: string;
}

/** `python3`, or the one that SCORE_BATCH_TEST_PYTHON names. */
export async function findPython(): Promise<Python> {
  const command = process.env.SCORE_BATCH_TEST_PYTHON ?? 'python3';
  const code = 'import sys; print(*sys.version_info[:2]); print(sys.version, sys.base_prefix)';
  const found = await run(command, ['-c', code]).catch(() => undefined);
  const wanted = `Python ${OLDEST.join('.')} or newer (SCORE_BATCH_TEST_PYTHON names another than python3)`;
  if (found === undefined) throw new Error(`there is no ${command}; they need ${wanted}`);
  const [numbers = '', ...identity] = found.stdout.split('\n');
  const [major = 0, minor = 0] = numbers.split(' ').map(Number);
  if (major !== OLDEST[0] || minor < OLDEST[1]) throw new Error(`${command} is Python ${major}.${minor}; they need ${wanted}`);
  return { command, identity: identity.join('\n') };
}
