import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scoreBatch } from '../support/score-batch.ts';
import { ask, change, EVENTS_QUERY, INCREMENTAL, sliceProject } from '../support/slice-project.ts';
import { failedSlice, sliced, stateOf } from '../support/sliced.ts';

// Jobs that cannot have slices as they are, and jobs that change between slices.

const NEW_USER = "insert into users values (200, timestamp '1997-03-10 22:00', 0.5, 0, 'FR', timestamp '1997-03-10 22:00')";

async function edit(folder: string, file: string, work: (text: string) => string): Promise<void> {
  const name = path.join(folder, file);
  await writeFile(name, work(await readFile(name, 'utf8')));
}

describe('a job file is refused', () => {
  it.each([
    [
      'with the current table where the scores are',
      INCREMENTAL.replace('marketing.current', 'Marketing.Scores'),
      'it would be the table of sink.table',
    ],
    ['with history on DuckDB', INCREMENTAL.replace('watermark: loaded_at', 'history: changes'), 'history'],
    [
      'with a change source that has not the key',
      INCREMENTAL.replace('table: users', 'table: payments'),
      'the change source payments has no column user_id',
    ],
    ['with a change source that does not exist', INCREMENTAL.replace('table: users', 'table: nothing'), 'nothing'],
    ['with a watermark that does not exist', INCREMENTAL.replace('watermark: loaded_at', 'watermark: loaded'), 'loaded_at'],
  ])('%s', async (_, incremental, says) => {
    const folder = await sliceProject({ incremental });
    await change(folder, "create table payments as select 1 as payment_id, timestamp '1997-03-10 12:00' as loaded_at");
    const { code, stderr } = await failedSlice(folder);
    expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining(says) });
  });

  it('with :changed_keys as anything but in (…)', async () => {
    const query = EVENTS_QUERY.replace('user_id in (:changed_keys)', 'user_id not in (:changed_keys)');
    const { code, stderr } = await failedSlice(await sliceProject({ query }));
    expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining('uses :changed_keys other than as') });
  });

  it('without slices, where one is asked for', async () => {
    const folder = await sliceProject({ incremental: '' });
    expect(await failedSlice(folder)).toMatchObject({ code: 78, stderr: expect.stringContaining('no section incremental') });
    const status = await scoreBatch(folder, ['status', '--slices']);
    expect(status).toMatchObject({ code: 78, stderr: expect.stringContaining('no section incremental') });
  });
});

it('a feature that ages without any change is refused and named; with refresh: day it is scored once a day', async () => {
  const query = EVENTS_QUERY.replace(
    'arg_max(b, loaded_at) as b',
    "least(date_diff('hour', max(happened_at), :window_end) / 1000.0, 1) as b",
  );
  const folder = await sliceProject({ query });
  const { code, stderr } = await failedSlice(folder);
  expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining('b changes with :window_end') });
  expect(stderr).toContain('incremental.refresh: day');
  await edit(folder, 'jobs/job.yaml', (job) => `${job}  refresh: day\n`);
  expect(await sliced(folder)).toMatchObject([{ kind: 'snapshot', outcome: { users: 100 } }]);
});

describe('between two slices', () => {
  it.each([
    [
      'the query',
      async (folder: string) =>
        edit(folder, 'jobs/query.sql', (sql) => sql.replace('arg_max(b, loaded_at) as b', 'max(b) as b')),
    ],
    ['the type of a feature', async (folder: string) => change(folder, 'alter table users alter a type float')],
    [
      'since',
      async (folder: string) => edit(folder, 'jobs/job.yaml', (job) => job.replace('since: 1997-03-10', 'since: 1997-03-09')),
    ],
    [
      'a change source',
      async (folder: string) =>
        edit(folder, 'jobs/job.yaml', (job) => job.replace('watermark: loaded_at', 'watermark: happened_at')),
    ],
    ['a band', async (folder: string) => edit(folder, 'jobs/job.yaml', (job) => job.replace('high: 0.6', 'high: 0.65'))],
  ])('%s cannot change without a snapshot', async (_, alter) => {
    const folder = await sliceProject();
    await sliced(folder);
    await alter(folder);
    await change(folder, NEW_USER);
    const before = await stateOf(folder);
    const { code, stderr } = await failedSlice(folder);
    expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining('score-batch --slice --snapshot') });
    expect(await stateOf(folder)).toEqual(before);
    expect(await sliced(folder, ['--snapshot'])).toMatchObject([{ kind: 'snapshot', outcome: { users: 101 } }]);
    await change(folder, NEW_USER.replaceAll('200', '201').replaceAll('22:00', '22:20'));
    expect(await sliced(folder)).toMatchObject([{ kind: 'changes', outcome: { users: 102 } }]);
  });

  it('incremental can be removed and added again: one slice catches up', async () => {
    const folder = await sliceProject();
    await sliced(folder);
    await edit(folder, 'jobs/job.yaml', (job) => job.replace(INCREMENTAL, ''));
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
    expect((await failedSlice(folder)).code).toBe(78);
    for (const day of [12, 13, 14, 15])
      await change(folder, NEW_USER.replaceAll('200', `${200 + day}`).replaceAll('1997-03-10', `1997-03-${day}`));
    await edit(folder, 'jobs/job.yaml', (job) => `${job}${INCREMENTAL}`);
    const slices = await sliced(folder);
    expect(slices).toMatchObject([{ kind: 'changes', as_of: '1997-03-15T22:00:00.000001Z', outcome: { users: 104 } }]);
  });

  it('the windows can become hours and weeks again: slices are not touched, and no window is published twice', async () => {
    const folder = await sliceProject();
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
    await sliced(folder);
    await edit(folder, 'jobs/job.yaml', (job) => job.replace('every: week', 'every: hour'));
    // An hour in a week is a window of its own, as a day is.
    expect((await scoreBatch(folder, ['--hour', '1997-03-10T09'])).code).toBe(0);
    await change(folder, NEW_USER);
    expect(await sliced(folder)).toMatchObject([{ kind: 'changes', outcome: { users: 101 } }]);
    await edit(folder, 'jobs/job.yaml', (job) => job.replace('every: hour', 'every: week'));
    const again = await scoreBatch(folder, ['--week', '--skip-published', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ state: 'already published' });
    const counts = 'select window_start, window_end, count(*) as n from marketing.scores group by all order by all';
    expect((await ask(folder, counts)).map(({ n }) => n)).toEqual(['100', '6']);
    expect(await sliced(folder)).toMatchObject([{ kind: 'changes', outcome: { scored: 0, users: 101 } }]);
  });
});
