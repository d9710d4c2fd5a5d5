import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LINEAR_QUERY } from './support/linear-project.ts';
import { repository, statements } from './support/project.ts';
import { ledger, NONE, scoredAt, staged, tableDifferences } from './support/publication.ts';
import { type Outcome, type Running, scoreBatch, startScoreBatch } from './support/score-batch.ts';
import {
  CHUNKS,
  copyProject,
  FREEZING,
  holdOpen,
  PENDING_CSV,
  RANKED,
  runFolders,
  STAGED,
  slowProject,
  untilFiles,
  untilStopped,
  untilText,
  WAREHOUSE,
} from './support/steer.ts';

const RUN = ['--week', '--json', '--workers', '2'];
const BEFORE = { SCORE_BATCH_NOW: '1997-03-17T13:00:00Z' };
const STOPS = preload('test/faults/stop.mjs');
const AFTER = { SCORE_BATCH_NOW: '1997-03-17T14:00:00Z' };

function preload(file: string): string {
  return `--import ${pathToFileURL(repository(file))}`;
}

/** Always true, and slow while `big` has rows: they are joined with themselves. */
const BUSY = '(select count(*) from big x, big y where hash(x.i + y.i) % 7 = 8) = 0';

/** A project whose readiness or query joins that many rows with themselves, until they are deleted. */
async function busyProject(busy: { ready?: number; query?: number } = {}): Promise<string> {
  const folder = await slowProject({
    edit: (job) => (busy.ready === undefined ? job : job.replace('source:', `source:\n  ready: select ${BUSY}`)),
    query: busy.query === undefined ? LINEAR_QUERY : `${LINEAR_QUERY} and ${BUSY}`,
  });
  const rows = busy.ready ?? busy.query ?? 0;
  await statements(path.join(folder, WAREHOUSE), [`create table big as select i from range(${rows}) as big(i)`]);
  return folder;
}

interface Stage {
  readonly stage: string;
  readonly project: () => Promise<string>;
  /** Comes back when a signal would hit the stage. */
  readonly reached: (running: Running, folder: string) => Promise<unknown>;
  /** The process stops itself before the first statement that this matches, and so has begun it when it hears the signal. */
  readonly stopBefore?: string;
  /** Whether the run may be over before the signal comes. */
  readonly brief?: boolean;
}

const STAGES: readonly Stage[] = [
  {
    stage: 'plan',
    project: () => busyProject({ ready: 200_000 }),
    stopBefore: 'duckdb .*from big x',
    reached: untilStopped,
  },
  {
    stage: 'freeze',
    project: () => busyProject({ query: 200_000 }),
    stopBefore: 'duckdb COPY .*from big x',
    reached: async (running, folder) => {
      await untilStopped(running);
      expect(await untilFiles(running, folder, FREEZING)).not.toEqual([]);
    },
  },
  { stage: 'score', project: busyProject, reached: (running, folder) => untilFiles(running, folder, STAGED, 2) },
  {
    stage: 'reconcile',
    project: busyProject,
    reached: (running, folder) => untilFiles(running, folder, STAGED, CHUNKS),
    brief: true,
  },
  { stage: 'publish', project: busyProject, reached: (running, folder) => untilFiles(running, folder, RANKED), brief: true },
  {
    stage: 'report',
    project: busyProject,
    reached: (running, folder) => untilFiles(running, folder, PENDING_CSV),
    brief: true,
  },
];

const SIGNALS = [
  { signal: 'SIGINT', number: 2 },
  { signal: 'SIGTERM', number: 15 },
] as const;

/** As a shell tells it: a process that a signal ended has no exit code of its own. */
function exitStatus({ code, signal }: Outcome): number | undefined {
  return code ?? { SIGINT: 130, SIGTERM: 143 }[signal as string];
}

/** The same command once more: it publishes, and what was staged is not scored again. */
async function expectResumed(folder: string): Promise<void> {
  await statements(path.join(folder, WAREHOUSE), ['delete from big']);
  const last = (await ledger(folder)).at(-1);
  const found = await staged(folder);
  const { code, stdout, stderr } = await scoreBatch(folder, RUN, AFTER);
  expect(code, stderr).toBe(0);
  const summary = JSON.parse(stdout);
  const scored = await scoredAt(folder);
  if (last?.state === 'failed' || last?.state === 'started') {
    expect(summary).toMatchObject({ run_id: last.run_id, chunks: CHUNKS, chunks_resumed: found.chunks });
    expect(scored['13:00'] ?? 0).toBe(found.scored);
  } else if (last?.state === 'published') {
    expect(summary.run_id).toBe(last.run_id);
    expect(scored['14:00']).toBeUndefined();
  }
  expect(await runFolders(folder)).toEqual([]);
}

describe.each(SIGNALS)('$signal', ({ signal, number }) => {
  it.each(STAGES)(
    'ends a run cleanly in its stage $stage, and the same command resumes',
    async ({ stage, project, reached, stopBefore, brief }) => {
      const folder = await project();
      const stops = stopBefore === undefined ? {} : { NODE_OPTIONS: STOPS, STOP_BEFORE: stopBefore };
      const running = startScoreBatch(folder, RUN, { ...BEFORE, ...stops });
      await reached(running, folder);
      running.process.kill(signal);
      running.process.kill('SIGCONT');
      const outcome = await running.ended;
      expect(brief ? [0, 128 + number] : [128 + number], outcome.stderr).toContain(exitStatus(outcome));
      expect(outcome.stderr).not.toMatch(/bug|^\s+at /m);
      const entries = await ledger(folder);
      if (exitStatus(outcome) !== 0) {
        if (outcome.code !== null) expect(outcome.stderr).toContain(`ended by ${signal}; run the same command again to resume`);
        const published = entries.some(({ state }) => state === 'published');
        if (stage === 'plan') expect(entries).toEqual([]);
        else if (!published) expect(entries.at(-1)).toMatchObject({ state: 'failed', error: `ended by ${signal}` });
        else expect(entries.map(({ state }) => state)).toEqual(['started', 'published']);
      }
      await expectResumed(folder);
    },
  );
});

it('interrupts a run that waits for the warehouse to publish', async () => {
  const folder = await busyProject();
  const uninterrupted = await copyProject(folder);
  const WITNESS = path.join(folder, 'witness');
  const NODE_OPTIONS = preload('test/support/witness.mjs');
  const running = startScoreBatch(folder, RUN, { ...BEFORE, NODE_OPTIONS, WITNESS });
  await untilFiles(running, folder, STAGED);
  const letGo = await holdOpen(folder);
  await untilFiles(running, folder, RANKED);
  running.process.kill('SIGTERM');
  await untilText(running, WITNESS, 'signal SIGTERM');
  letGo();
  const { code, stderr } = await running.ended;
  expect(code, stderr).toBe(143);
  expect((await ledger(folder)).map(({ state }) => state)).toEqual(['started', 'failed']);
  await expectResumed(folder);
  expect((await scoreBatch(uninterrupted, RUN)).code).toBe(0);
  expect(await tableDifferences(folder, uninterrupted)).toEqual(NONE);
});

it('ends at once at a second signal, and loses nothing by it', async () => {
  const folder = await busyProject();
  const running = startScoreBatch(folder, RUN, BEFORE);
  await untilFiles(running, folder, STAGED);
  // After the first signal the run waits to tell the ledger of its end.
  const letGo = await holdOpen(folder);
  const again = setInterval(() => running.process.kill('SIGINT'), 100);
  const { code, signal, stderr } = await running.ended;
  clearInterval(again);
  letGo();
  expect({ code, signal }, stderr).toEqual({ code: null, signal: 'SIGKILL' });
  expect((await ledger(folder)).map(({ state }) => state)).toEqual(['started']);
  await expectResumed(folder);
});
