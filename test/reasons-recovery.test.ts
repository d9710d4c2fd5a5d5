import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { explainedProject } from './support/explained-project.ts';
import { repository, statements } from './support/project.ts';
import { publishedRows, rowsOf, warehouseOf } from './support/published.ts';
import { type Running, scoreBatch, scoreBatchProcess, startScoreBatch } from './support/score-batch.ts';
import { untilText } from './support/steer.ts';

// Reasons of runs that were killed, and of rows that changed after they were scored.

const RUN = ['--week', '--json', '--workers', '1'];
const preload = (file: string) => `--import ${pathToFileURL(repository('test', file))}`;

/** What happens to rows of users with some of the highest scores. */
const CHANGES: readonly [what: string, statement: string][] = [
  ['another score', 'update users set a = 0.5 where user_id = 19'],
  // 0.5 a - 0.25 b stays the same, and so does the score.
  ['other features with an equal score', 'update users set a = a + 0.5, b = b + 1 where user_id = 39'],
  ['no row any more', 'delete from users where user_id = 79'],
  ['two rows', 'insert into users select * from users where user_id = 18'],
  ['a row that would be quarantined', 'update users set a = 1000 where user_id = 59'],
];
const CHANGED = [18, 19, 39, 59, 79];

interface Found {
  readonly reasons: readonly { readonly user_id: number; readonly reason_1: unknown; readonly reason_2: unknown }[];
  readonly facts: Record<string, unknown>;
}

async function found(folder: string): Promise<Found> {
  const reasons = await rowsOf(folder, 'select user_id, reason_1, reason_2 from marketing.scores order by rank');
  const [{ facts } = {}] = await rowsOf(
    folder,
    `select details->>'reasons' as facts from marketing.score_batch_ledger where state = 'published' order by rowid desc`,
  );
  return {
    reasons: reasons.map(({ user_id, reason_1, reason_2 }) => ({ user_id: Number(user_id), reason_1, reason_2 })),
    facts: JSON.parse(String(facts)) as Record<string, unknown>,
  };
}

/** What a run without a change or a kill publishes. */
async function uninterrupted(freeze: 'always' | 'never') {
  const folder = await explainedProject({ freeze });
  const { code, stderr } = await scoreBatch(folder, RUN);
  expect(code, stderr).toBe(0);
  return { ...(await found(folder)), tables: await publishedRows(folder) };
}

/** Expects that only the users with these ids lack reasons that they would have had. */
async function expectWithout(folder: string, ids: readonly number[]): Promise<void> {
  const { reasons, facts } = await found(folder);
  const expected = await uninterrupted('never');
  const top = expected.reasons.slice(0, 15).map(({ user_id }) => user_id);
  expect(top).toEqual(expect.arrayContaining([...ids]));
  const without = expected.reasons.map((row) => (ids.includes(row.user_id) ? { ...row, reason_1: null, reason_2: null } : row));
  expect(reasons).toEqual(without);
  expect(facts).toMatchObject({ changed: ids.length, users: 15 - ids.length });
}

/** Kills a run where a file gets its place. */
async function killedAt(folder: string, pattern: string): Promise<void> {
  const { signal, stderr } = await scoreBatchProcess(folder, RUN, {
    NODE_OPTIONS: preload('crash/preload.mjs'),
    CRASH_AT: JSON.stringify({ pattern, occurrence: 1, phase: 'after' }),
  });
  expect(signal, stderr).toBe('SIGKILL');
}

it('a row that changed after it was scored gets no reason, and the run says so', async () => {
  const folder = await explainedProject();
  await killedAt(folder, '^rename .*/tapping-');
  await statements(
    warehouseOf(folder),
    CHANGES.map(([, statement]) => statement),
  );
  const { code, stdout, stderr } = await scoreBatch(folder, RUN);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('100 rows of 1997-W11 are already staged');
  const warning = '5 users have no reasons: their features have changed since they were scored';
  expect(stderr).toContain(`\nwarning: ${warning}\n`);
  expect(JSON.parse(stdout).warnings).toEqual([warning]);
  await expectWithout(folder, CHANGED);
});

it('another process may change the source while the run finds its highest scores', async () => {
  const folder = await explainedProject();
  const running = await heldAtTop(folder);
  await whileLocked(() => statements(warehouseOf(folder), ['update users set b = 7 where user_id = 39']));
  await writeFile(path.join(folder, 'go'), '');
  const { code, stderr } = await running.ended;
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/^warning: 1 user has no reasons: /m);
  await expectWithout(folder, [39]);
});

it('a frozen run explains the rows that it has frozen', async () => {
  const folder = await explainedProject({ freeze: 'always' });
  for (const step of ['freeze', 'score']) expect((await scoreBatch(folder, [step, '--week'])).code).toBe(0);
  await statements(
    warehouseOf(folder),
    CHANGES.map(([, statement]) => statement),
  );
  const { code, stderr } = await scoreBatch(folder, ['publish', '--week']);
  expect(code, stderr).toBe(0);
  expect(stderr).not.toContain('warning');
  await expectWithout(folder, []);
});

it.each(['never', 'always'] as const)(
  'a run that is killed while it explains gives the same reasons (source.freeze: %s)',
  async (freeze) => {
    const folder = await explainedProject({ freeze });
    const running = await heldAtTop(folder);
    running.process.kill('SIGKILL');
    expect((await running.ended).signal).toBe('SIGKILL');
    const { code, stdout, stderr } = await scoreBatch(folder, RUN);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).chunks_resumed).toBeGreaterThan(0);
    const { tables, facts } = await uninterrupted(freeze);
    expect(await publishedRows(folder)).toEqual(tables);
    expect((await found(folder)).facts).toMatchObject({ ...facts, seconds: expect.any(Number) });
  },
);

it('a run that is killed after it has published leaves the reasons as they are, and the next one writes them to the report', async () => {
  const folder = await explainedProject();
  const { signal, stderr } = await scoreBatchProcess(folder, RUN, {
    NODE_OPTIONS: preload('crash/preload.mjs'),
    CRASH_AT: JSON.stringify({ pattern: '^duckdb COMMIT$', occurrence: 1, phase: 'after' }),
  });
  expect(signal, stderr).toBe('SIGKILL');
  const before = await publishedRows(folder);
  // Nothing is explained again.
  await statements(warehouseOf(folder), ['update users set b = 7']);
  expect((await scoreBatch(folder, RUN)).code).toBe(0);
  expect(await publishedRows(folder)).toEqual(before);
  expect(before).toEqual((await uninterrupted('never')).tables);
});

/** Starts a run that waits, with everything staged, until there is a file `go`. */
async function heldAtTop(folder: string): Promise<Running> {
  const go = path.join(folder, 'go');
  const running = startScoreBatch(folder, RUN, {
    ...{ NODE_OPTIONS: preload('support/slow-step.mjs'), SLOW_STEP: 'top', SLOW_MS: '0', SLOW_UNTIL: go },
  });
  await untilText(running, `${go}.reached`, 'reached');
  return running;
}

/** Repeats what fails while another process has the file open. */
async function whileLocked(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!String(error).includes('lock')) throw error;
      await sleep(20);
    }
  }
}
