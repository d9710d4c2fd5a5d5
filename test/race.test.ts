import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { keptFolder, once } from './support/kept.ts';
import { LINEAR_QUERY, linearProject } from './support/linear-project.ts';
import { ledger, NONE, scoredAt, tableDifferences } from './support/publication.ts';
import { type Outcome, type Running, scoreBatch, startScoreBatch } from './support/score-batch.ts';
import {
  CHUNKS,
  CSV,
  copyProject,
  PENDING_CSV,
  runFolders,
  SCRATCH,
  STAGED,
  slowProject,
  untilFiles,
  untilStopped,
} from './support/steer.ts';

const RUN = ['--week', '--json', '--workers', '2'];
const BEFORE = { SCORE_BATCH_NOW: '1997-03-17T13:00:00Z' };
const AFTER = { SCORE_BATCH_NOW: '1997-03-17T14:00:00Z' };

async function edit(folder: string, file: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(path.join(folder, file), 'utf8');
  expect(change(text)).not.toBe(text);
  await writeFile(path.join(folder, file), change(text));
}

/** Another job by the same name: other bands. */
const changeBands = (folder: string) => edit(folder, 'jobs/job.yaml', (job) => job.replace('top 10%', 'top 20%'));

const csv = (folder: string) => readFile(path.join(folder, CSV), 'utf8');

/** What a run in this project leaves where nothing disturbs it, in a copy. */
async function uninterruptedRun(folder: string): Promise<string> {
  const copy = await keptFolder();
  await cp(folder, copy, { recursive: true });
  const { code, stderr } = await scoreBatch(copy, RUN, BEFORE);
  expect(code, stderr).toBe(0);
  return copy;
}

/** What a run in an unchanged project leaves. */
const uninterrupted = once(async () => uninterruptedRun(await slowProject()));

/** What a run in a project with other bands leaves. */
const uninterruptedWithBands = once(async () => {
  const folder = await slowProject();
  await changeBands(folder);
  return await uninterruptedRun(folder);
});

async function publications(folder: string): Promise<(string | undefined)[]> {
  return (await ledger(folder)).filter(({ publication }) => publication !== null).map(({ run_id }) => run_id);
}

/** Starts a run, stops its process when `moment` has come, runs `meanwhile`, and continues it. */
async function paused(folder: string, moment: (running: Running) => Promise<unknown>, meanwhile: () => Promise<void>) {
  const running = startScoreBatch(folder, RUN, BEFORE);
  await moment(running);
  running.process.kill('SIGSTOP');
  await untilStopped(running);
  try {
    await meanwhile();
  } finally {
    running.process.kill('SIGCONT');
  }
  return await running.ended;
}

/** At least one published, and the other one did too or was told that it lost. */
function expectBothGood(outcomes: readonly Outcome[]): void {
  const codes = outcomes.map(({ code }) => code).sort();
  const said = outcomes.map(({ stderr }) => stderr).join('\n');
  expect(['0,0', '0,75'], said).toContain(String(codes));
}

describe('two processes', () => {
  it('publish once where the same command is started twice', async () => {
    const folder = await slowProject();
    const outcomes = await Promise.all([startScoreBatch(folder, RUN).ended, startScoreBatch(folder, RUN).ended]);
    expectBothGood(outcomes);
    const states = (await ledger(folder)).map(({ state }) => state);
    // On a busy machine the second may begin when the first is over; then it is a run of its own.
    const together = states.lastIndexOf('started') < states.indexOf('published');
    expect(await publications(folder)).toHaveLength(together ? 1 : 2);
    expect(await tableDifferences(folder, await uninterrupted())).toEqual(NONE);
    expect(await csv(folder)).toBe(await csv(await uninterrupted()));
  });

  it('share a run that the second one finds unfinished', async () => {
    const folder = await slowProject();
    const first = startScoreBatch(folder, RUN, BEFORE);
    await untilFiles(first, folder, STAGED, 2);
    first.process.kill('SIGSTOP');
    const second = startScoreBatch(folder, RUN, AFTER);
    await untilFiles(second, folder, STAGED, 5);
    first.process.kill('SIGCONT');
    const outcomes = await Promise.all([first.ended, second.ended]);
    expectBothGood(outcomes);
    expect(new Set((await ledger(folder)).map(({ run_id }) => run_id)).size).toBe(1);
    expect(await publications(folder)).toHaveLength(1);
    expect(await tableDifferences(folder, await uninterrupted())).toEqual(NONE);
    expect(await csv(folder)).toBe(await csv(await uninterrupted()));
  });

  it('do not publish an older job over a newer one', async () => {
    const folder = await slowProject();
    const { code, stderr } = await paused(
      folder,
      (running) => untilFiles(running, folder, STAGED, 2),
      async () => {
        await changeBands(folder);
        const other = await scoreBatch(folder, RUN, AFTER);
        expect(other.code, other.stderr).toBe(0);
      },
    );
    expect(code, stderr).toBe(75);
    expect(stderr).toContain('published 1997-W11 in the meantime');
    expect(await publications(folder)).toHaveLength(1);
    expect(await scoredAt(folder)).toEqual({ '14:00': expect.any(Number) });
    expect(await tableDifferences(folder, await uninterruptedWithBands())).toEqual(NONE);
    expect(await csv(folder)).toBe(await csv(await uninterruptedWithBands()));
  });
});

describe('a crash', () => {
  it.each([
    {
      changed: 'model',
      change: async (folder: string) => {
        await edit(folder, 'model/model.yaml', (yaml) => yaml.replace('default: 0', 'default: 1'));
        // The golden rows without a value of b were made with the other default.
        await edit(folder, 'model/golden.csv', (csv) => csv.replaceAll(/^[^,]*,,.*\n/gm, ''));
      },
    },
    {
      changed: 'query',
      change: (folder: string) => edit(folder, 'jobs/query.sql', () => LINEAR_QUERY.replace('a, b', 'a / 2 as a, b')),
    },
  ])('is followed by a new run where the $changed has changed', async ({ change }) => {
    const folder = await slowProject();
    const changed = await copyProject(folder);
    await change(changed);
    const expected = await uninterruptedRun(changed);
    const running = startScoreBatch(folder, RUN, BEFORE);
    await untilFiles(running, folder, STAGED, 3);
    running.process.kill('SIGKILL');
    await running.ended;
    const [lost] = await ledger(folder);
    await change(folder);
    const { code, stdout, stderr } = await scoreBatch(folder, RUN, AFTER);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ chunks: CHUNKS, chunks_resumed: 0 });
    expect(await publications(folder)).toEqual([JSON.parse(stdout).run_id]);
    expect(JSON.parse(stdout).run_id).not.toBe(lost?.run_id);
    expect(await scoredAt(folder)).toEqual({ '14:00': expect.any(Number) });
    expect(await tableDifferences(folder, expected)).toEqual(NONE);
    expect(await csv(folder)).toBe(await csv(expected));
  });

  it('after publish leaves only the report file to do', async () => {
    const folder = await slowProject();
    const running = startScoreBatch(folder, RUN, BEFORE);
    await untilFiles(running, folder, PENDING_CSV);
    running.process.kill('SIGKILL');
    await running.ended;
    const entries = await ledger(folder);
    expect(entries.map(({ state }) => state)).toEqual(['started', 'published']);
    const { code, stdout, stderr } = await scoreBatch(folder, RUN, AFTER);
    expect(code, stderr).toBe(0);
    expect(stderr).not.toMatch(/^froze /m);
    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({ run_id: entries[0]?.run_id, state: 'published', chunks: CHUNKS });
    // The stages of the first process are still told.
    const { freeze, score } = entries[1]?.seconds ?? {};
    expect(score).toBeGreaterThan(0);
    expect(summary.seconds).toMatchObject({ freeze, score });
    expect((await ledger(folder)).map(({ state }) => state)).toEqual(['started', 'published', 'completed']);
    expect(await scoredAt(folder)).toEqual({ '13:00': expect.any(Number) });
    expect(await tableDifferences(folder, await uninterrupted())).toEqual(NONE);
    expect(await csv(folder)).toBe(await csv(await uninterrupted()));
  });
});

it('collects what lost runs of the job left behind, once its deadline is past, and nothing else', async () => {
  const folder = await linearProject();
  const leave = async (name: string, mark?: object) => {
    await mkdir(path.join(folder, SCRATCH, name, 'frozen'), { recursive: true });
    if (mark) await writeFile(path.join(folder, SCRATCH, name, 'score-batch.json'), JSON.stringify(mark));
  };
  const past = '1990-01-01T00:00:00Z';
  const future = '2999-01-01T00:00:00Z';
  await leave('lost', { createdBy: 'score-batch', job: 'linear', run: 'lost', deadline: past });
  await leave('going-on', { createdBy: 'score-batch', job: 'linear', run: 'going-on', deadline: future });
  await leave('other-job', { createdBy: 'score-batch', job: 'other', run: 'other-job', deadline: past });
  await leave('other-program', { job: 'linear', run: 'other-program', deadline: past });
  await leave('no-mark');
  const { code, stderr } = await scoreBatch(folder, RUN);
  expect(code, stderr).toBe(0);
  expect(stderr).not.toContain('warning');
  expect((await runFolders(folder)).sort()).toEqual(['going-on', 'no-mark', 'other-job', 'other-program']);
});
