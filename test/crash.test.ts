import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ledger, NONE, scoredAt, staged, tableDifferences } from './support/publication.ts';
import { type Running, scoreBatch, startScoreBatch } from './support/score-batch.ts';
import {
  CHUNKS,
  CSV,
  copyProject,
  filesIn,
  PENDING_CSV,
  RANKED,
  runFolders,
  STAGED,
  slowProject,
  untilFiles,
} from './support/steer.ts';

const RUN = ['--week', '--json', '--workers', '2'];
const MOMENTS = 20;

// Rows carry the time at which their process started, so that the table tells which process scored them.
const BEFORE = { SCORE_BATCH_NOW: '1997-03-17T13:00:00Z' };
const AFTER = { SCORE_BATCH_NOW: '1997-03-17T14:00:00Z' };

/** Two projects: one that is fresh, and one in which the run was not disturbed. */
async function projects(): Promise<{ fresh: string; undisturbed: string; seconds: number }> {
  const fresh = await slowProject();
  const undisturbed = await copyProject(fresh);
  const start = performance.now();
  const { code, stderr } = await scoreBatch(undisturbed, RUN, BEFORE);
  expect(code, stderr).toBe(0);
  return { fresh, undisturbed, seconds: (performance.now() - start) / 1000 };
}

/**
 * Kills a run when `moment` has come, starts the same command again, and holds what then is there against an undisturbed run.
 *
 * @returns the project, and the number of chunks that were staged when the run was killed
 */
async function killAndRerun(
  fresh: string,
  undisturbed: string,
  moment: (running: Running, folder: string) => Promise<unknown>,
) {
  const folder = await copyProject(fresh);
  const running = startScoreBatch(folder, RUN, BEFORE);
  await moment(running, folder);
  running.process.kill('SIGKILL');
  await running.ended;

  const before = (await ledger(folder)).at(-1);
  const found = await staged(folder);
  const { code, stdout, stderr } = await scoreBatch(folder, RUN, AFTER);
  expect(code, stderr).toBe(0);
  const summary = JSON.parse(stdout);

  expect(await tableDifferences(folder, undisturbed)).toEqual(NONE);
  expect(await readFile(path.join(folder, CSV), 'utf8')).toBe(await readFile(path.join(undisturbed, CSV), 'utf8'));
  expect(await runFolders(folder)).toEqual([]);
  const scored = await scoredAt(folder);
  if (before?.state === 'started') {
    expect(summary).toMatchObject({ run_id: before.run_id, chunks: CHUNKS, chunks_resumed: found.chunks });
    expect(scored['13:00'] ?? 0).toBe(found.scored);
  } else if (before?.state === 'published') {
    expect(summary.run_id).toBe(before.run_id);
    expect(scored['14:00']).toBeUndefined();
  }
  return { folder, chunks: found.chunks };
}

describe('SIGKILL, then the same command', () => {
  it(`leaves the tables of an undisturbed run, killed at any of ${MOMENTS} moments`, { timeout: 300_000 }, async () => {
    const { fresh, undisturbed, seconds } = await projects();
    for (let i = 0; i < MOMENTS; i += 1)
      await killAndRerun(fresh, undisturbed, () => sleep(((i + 0.5) / MOMENTS) * seconds * 1000));
  });

  it('scores only the chunks that were not staged', async () => {
    const { fresh, undisturbed } = await projects();
    const { chunks } = await killAndRerun(fresh, undisturbed, (running, folder) => untilFiles(running, folder, STAGED, 3));
    expect(chunks).toBeGreaterThanOrEqual(3);
  });

  it('goes on from a run that was about to publish', async () => {
    const { fresh, undisturbed } = await projects();
    expect((await killAndRerun(fresh, undisturbed, (running, folder) => untilFiles(running, folder, RANKED))).chunks).toBe(
      CHUNKS,
    );
  });

  it('leaves no half-written report file', async () => {
    const { fresh, undisturbed } = await projects();
    const { folder } = await killAndRerun(fresh, undisturbed, (running, copy) => untilFiles(running, copy, PENDING_CSV));
    expect(await filesIn(folder, 'reports')).toEqual([`/${CSV}`]);
  });
});
