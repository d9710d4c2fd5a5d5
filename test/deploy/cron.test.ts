import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { query } from '../support/project.ts';
import { CSV, WAREHOUSE } from '../support/steer.ts';
import { cronOf, crontab } from './cron-line.ts';

// The line of deploy/cron as cron runs it: by its shell, with its few variables, in the home folder. What it prints would be
// mailed. Not cron itself, which runs as root.

const WEEKLY = crontab('score-batch.cron');

/** A project where the file says that it is, but for the temporary folder. */
async function srv(): Promise<{ folder: string; cron: (now?: string) => Promise<{ code: number | null; mail: string }> }> {
  const folder = await linearProject();
  const run = await cronOf(WEEKLY, folder);
  return { folder, cron: (now = '1997-03-17T06:00:00-05:00') => run(now) };
}

it('is one command', () => {
  for (const { commands } of [WEEKLY, crontab('score-batch-hourly.cron')]) {
    expect(commands).toHaveLength(1);
    // A % would be a line break.
    expect(commands[0]).not.toContain('%');
  }
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
