import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { query, repository } from '../support/project.ts';
import { CSV, WAREHOUSE } from '../support/steer.ts';

// The line of deploy/cron as cron runs it: by its shell, with its few variables, in the home folder. What it prints would be
// mailed. Not cron itself, which runs as root.

const LINES = readFileSync(repository('deploy', 'cron', 'score-batch.cron'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const VARIABLES = Object.fromEntries(
  LINES.flatMap((line) => {
    const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value]];
  }),
);
const COMMAND = LINES.flatMap((line) => /^(?:[\d*/,-]+\s+){5}(.+)$/.exec(line)?.[1] ?? []);

/** A project where the file says that it is, but for the temporary folder. */
async function srv(): Promise<{ folder: string; cron: (now?: string) => Promise<{ code: number | null; mail: string }> }> {
  const folder = await linearProject();
  await mkdir(path.join(folder, 'node_modules'));
  await symlink(repository(), path.join(folder, 'node_modules', 'score-batch'));
  const command = COMMAND[0]?.replace('/srv/churn', folder) ?? '';
  const variables = {
    ...VARIABLES,
    HOME: path.dirname(folder),
    LOGNAME: 'score-batch',
    // This machine's Node may be elsewhere.
    PATH: `${path.dirname(process.execPath)}:${VARIABLES.PATH}`,
  };
  const cron = (now = '1997-03-17T06:00:00-05:00') =>
    new Promise<{ code: number | null; mail: string }>((resolve, reject) => {
      const options = { cwd: path.dirname(folder), env: { ...variables, SCORE_BATCH_NOW: now } };
      const child = execFile(VARIABLES.SHELL ?? '', ['-c', command], options, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, mail: stdout + stderr }),
      );
      child.once('error', reject);
    });
  return { folder, cron };
}

it('is one command', () => {
  expect(COMMAND).toHaveLength(1);
  // A % would be a line break.
  expect(COMMAND[0]).not.toContain('%');
});

it('publishes the week without a word, and half an hour later does nothing', { timeout: 180_000 }, async () => {
  const { folder, cron } = await srv();
  expect(await cron()).toEqual({ code: 0, mail: '' });
  expect(existsSync(path.join(folder, CSV))).toBe(true);
  expect(await cron('1997-03-17T06:30:00-05:00')).toEqual({ code: 0, mail: '' });
  const runs = 'select count(distinct run_id) as n from marketing.score_batch_ledger';
  expect(await query(path.join(folder, WAREHOUSE), runs)).toEqual([{ n: '1' }]);
});

it('mails what is wrong', async () => {
  const { folder, cron } = await srv();
  await rm(path.join(folder, 'model', 'model.onnx'));
  const { code, mail } = await cron();
  expect(code).toBe(78);
  expect(mail).toMatch(/^error: .*model\.onnx/);
});

it('does nothing, without a word, while another one is at it', { timeout: 180_000 }, async () => {
  const { folder, cron } = await srv();
  const other = spawn('flock', [folder, 'sh', '-c', 'echo held; read line'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(other.stdout, 'data');
  expect(await cron()).toEqual({ code: 0, mail: '' });
  expect(existsSync(path.join(folder, CSV))).toBe(false);
  other.stdin.end('\n');
  await once(other, 'exit');
  expect(await cron()).toEqual({ code: 0, mail: '' });
  expect(existsSync(path.join(folder, CSV))).toBe(true);
});
