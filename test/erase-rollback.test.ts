import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { query, statements } from './support/project.ts';
import { scoreBatch } from './support/score-batch.ts';
import { CSV, WAREHOUSE } from './support/steer.ts';

const REASON = ['--reason', 'request 4711'];

async function done(folder: string, ...args: string[]): Promise<string> {
  const { code, stderr } = await scoreBatch(folder, args);
  expect(code, stderr).toBe(0);
  return stderr;
}

const rows = (folder: string, sql: string) => query(path.join(folder, WAREHOUSE), sql);

const contents = async (folder: string) => [
  await rows(folder, 'select user_id, country, propensity, rank, band from marketing.scores order by all'),
  await rows(folder, 'select user_id, country, propensity, rank, band from marketing.report order by all'),
  await rows(
    folder,
    'select segment, segment_value, band, users, share, mean_score, expected_churners from marketing.summary order by all',
  ),
];

async function refused(folder: string, code: number, text: string, ...args: string[]): Promise<void> {
  const outcome = await scoreBatch(folder, args);
  expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringContaining(text)]);
}

it('rolls back to a kept publication that has lost a person: counts agree, and the person stays away', async () => {
  const folder = await linearProject();
  await done(folder, 'run', '--week');
  await statements(path.join(folder, WAREHOUSE), ['update users set a = a / 2']);
  await done(folder, 'run', '--week', '--fresh');
  await done(folder, 'erase', '--key', '37', ...REASON);
  const second = await contents(folder);
  await done(folder, 'rollback', '--week', '--reason', 'column a was halved');
  const first = await contents(folder);
  expect(first).not.toEqual(second);
  expect(
    await rows(
      folder,
      'select count(*) as n, max(rank) as high, count(*) filter (user_id = 37) as person from marketing.scores',
    ),
  ).toEqual([{ n: '99', high: '99', person: '0' }]);
  expect(await readFile(path.join(folder, CSV), 'utf8')).not.toMatch(/^37,/m);
  const { runs } = JSON.parse((await scoreBatch(folder, ['status', '--json'])).stdout);
  expect(
    runs
      .filter(({ current }: { current: boolean }) => current)
      .map(({ tables_differ, rows: counts }: Record<string, unknown>) => [tables_differ, counts]),
  ).toEqual([[[], { frozen: 99, scored: 99, quarantined: 0 }]]);
  // Somebody else goes between the rollback and the way back: the content check compares what both have lost.
  await done(folder, 'erase', '--key', '38', ...REASON);
  await refused(folder, 65, 'rolled back', 'rollback', '--week');
  await done(folder, 'rollback', '--week', '--force');
  expect(
    await rows(folder, 'select count(*) as n, count(*) filter (user_id in (37, 38)) as persons from marketing.scores'),
  ).toEqual([{ n: '98', persons: '0' }]);
});

it('still refuses to publish again what was rolled back, although both have lost a person', async () => {
  const folder = await linearProject();
  await done(folder, 'run', '--week');
  await statements(path.join(folder, WAREHOUSE), ['update users set a = a / 2']);
  await done(folder, 'run', '--week', '--fresh');
  await done(folder, 'erase', '--key', '37', ...REASON);
  await done(folder, 'rollback', '--week');
  await statements(path.join(folder, WAREHOUSE), ['delete from users where user_id = 37']);
  await refused(folder, 65, 'rolled back', 'run', '--week', '--fresh');
});
