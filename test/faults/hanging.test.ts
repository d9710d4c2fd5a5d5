import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { startScoreBatch } from '../support/score-batch.ts';

/** A project whose query is never read to its end, as on a network drive that is gone: what reads it cannot be stopped. */
async function hangingProject(): Promise<string> {
  const folder = await linearProject();
  const query = path.join(folder, 'jobs', 'query.sql');
  await rm(query);
  execFileSync('mkfifo', [query]);
  return folder;
}

/** Waits until somebody has the pipe open. @returns it, open for writing */
async function untilRead(pipe: string): Promise<FileHandle> {
  for (;;) {
    const opened = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK).catch(({ code }) => {
      expect(code).toBe('ENXIO');
    });
    if (opened) return opened;
    await sleep(20);
  }
}

it('ends a process that hangs soon after the signal, as the signal does', async () => {
  const folder = await hangingProject();
  const running = startScoreBatch(folder, ['--week']);
  // A pipe can be opened for writing once somebody has it open for reading.
  const pipe = await untilRead(path.join(folder, 'jobs', 'query.sql'));
  running.process.kill('SIGTERM');
  const { signal, stderr } = await running.ended;
  await pipe.close();
  expect(signal, stderr).toBe('SIGTERM');
  expect(stderr).toContain('ended by SIGTERM; run the same command again to resume');
});

it('ends a process that hangs soon after the deadline', async () => {
  const { signal, stderr } = await startScoreBatch(await hangingProject(), ['--week', '--timeout', '5s']).ended;
  expect(signal, stderr).toBe('SIGKILL');
  expect(stderr).toContain('error: ended by --timeout 5s');
});
