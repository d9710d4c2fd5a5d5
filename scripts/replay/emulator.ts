import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../root.ts';

/** A running emulator of the tests. */
export interface Emulator<Address> {
  readonly address: Address;
  stop(): Promise<void>;
}

const SCRIPTS = { bigquery: ['run_bigquery.py'], snowflake: ['fakesnow_json.py', '--end-with-parent'] };

/** @throws Error if the tests have not created its Python environment yet, or it does not start */
export async function startEmulator<Address>(kind: 'bigquery' | 'snowflake', folder: string): Promise<Emulator<Address>> {
  const all = path.join(ROOT, '.emulators');
  const made = existsSync(all) ? readdirSync(all).find((name) => new RegExp(`^${kind}-[0-9a-f]{12}$`).test(name)) : undefined;
  if (made === undefined)
    throw new Error('the emulator is not there: `npx vitest run --project emulators test/emulators` makes it');
  const home = path.join(folder, `${kind}-home`);
  mkdirSync(home, { recursive: true });
  const [script = '', ...args] = SCRIPTS[kind];
  const child = spawn(path.join(all, made, 'bin', 'python'), [path.join(ROOT, 'test/emulators', script), ...args], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: home, PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const line = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`the emulator of ${kind} did not start`)));
    createInterface({ input: child.stdout }).once('line', resolve);
  });
  return {
    address: JSON.parse(line) as Address,
    async stop() {
      child.stdin.end();
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}
