import { cp } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/project.ts';
import { ask, change, INCREMENTAL, sliceProject } from '../support/slice-project.ts';
import { failedSlice, sliced, stateOf } from '../support/sliced.ts';

// What a change source can do wrong. A refused slice leaves table and position as they were.

/** An event of user 200 at 22:00, half an hour after the others. */
const NEW_USER = "insert into users values (200, timestamp '1997-03-10 22:00', 0.5, 0, 'FR', timestamp '1997-03-10 22:00')";

async function refused(folder: string, code: number, ...says: string[]): Promise<void> {
  const before = await stateOf(folder);
  const outcome = await failedSlice(folder);
  expect(outcome.code, outcome.stderr).toBe(code);
  for (const text of says) expect(outcome.stderr).toContain(text);
  expect(await stateOf(folder)).toEqual(before);
}

describe('a watermark', () => {
  it('that is null is refused, unless all users are compared once a day', async () => {
    const folder = await sliceProject();
    await sliced(folder);
    await change(folder, "insert into users values (201, timestamp '1997-03-10 22:10', 1, 1, 'US', null)", NEW_USER);
    await refused(folder, 65, '1 row has no watermark users.loaded_at', 'incremental.reconcile: day');

    const compared = await sliceProject({ incremental: `${INCREMENTAL}  reconcile: day\n` });
    await sliced(compared);
    await change(compared, "insert into users values (201, timestamp '1997-03-10 22:10', 1, 1, 'US', null)", NEW_USER);
    const [slice] = await sliced(compared);
    // 201 is found at midnight.
    expect(slice).toMatchObject({ kind: 'changes', outcome: { users: 101 } });
    await change(
      compared,
      "insert into users values (202, timestamp '1997-03-11 12:00', 1, 1, 'US', timestamp '1997-03-11 12:00')",
    );
    expect((await sliced(compared)).map(({ kind, outcome }) => [kind, outcome.users])).toEqual([
      ['full', 102],
      ['changes', 103],
    ]);
  });

  it('that goes backwards, or a table that was truncated or replaced, is refused; a snapshot is the way out', async () => {
    for (const statement of [
      "update users set loaded_at = loaded_at - interval '5 hours'",
      'delete from users',
      'create or replace table users as select * from users where user_id < 50',
    ]) {
      const folder = await sliceProject();
      await sliced(folder);
      await change(folder, statement);
      await refused(folder, 65, 'the watermark users.loaded_at was read up to', 'score-batch --slice --snapshot');
    }
    const folder = await sliceProject();
    await sliced(folder);
    await change(folder, 'create or replace table users as select * from users where user_id < 50');
    const [snapshot] = await sliced(folder, ['--snapshot']);
    expect(snapshot).toMatchObject({ kind: 'snapshot', outcome: { users: 50, deleted: 50 } });
    await change(folder, NEW_USER);
    expect(await sliced(folder)).toMatchObject([{ kind: 'changes', outcome: { users: 51 } }]);
  });

  it('that is in local time is refused if it is in the future, and read in its zone where the job names it', async () => {
    const ahead =
      "insert into users values (200, timestamp '1997-03-10 22:00', 0.5, 0, 'FR', now()::timestamp + interval '9 hours')";
    const folder = await sliceProject();
    await sliced(folder);
    await change(folder, ahead);
    await refused(folder, 65, 'the watermark users.loaded_at ends at', "later than the warehouse's clock", 'time_zone:');

    // Tokyo is nine hours ahead of UTC.
    const zoned = INCREMENTAL.replace('watermark: loaded_at', 'watermark: loaded_at, time_zone: Asia/Tokyo');
    const japanese = await sliceProject({ incremental: zoned });
    await change(japanese, "update users set happened_at = timestamp '1997-03-10 05:00'");
    await sliced(japanese);
    await change(japanese, ahead.replace("interval '9 hours'", "interval '8 hours 59 minutes'"));
    expect(await sliced(japanese)).toMatchObject([{ kind: 'changes', outcome: { users: 101 } }]);
  });
});

it('the clock of the runner has no part in what is read and scored', async () => {
  const folder = await sliceProject();
  const copies = [folder, await temporaryFolder(), await temporaryFolder()];
  for (const copy of copies.slice(1)) await cp(folder, copy, { recursive: true });
  const results: object[] = [];
  // An hour behind the data, right, and an hour ahead.
  for (const [i, hour] of ['20', '21', '22'].entries()) {
    const clock = { SCORE_BATCH_NOW: `1997-03-10T${hour}:30:00Z` };
    const copy = copies[i] ?? '';
    const first = await sliced(copy, [], clock);
    await change(copy, NEW_USER);
    const second = await sliced(copy, [], clock);
    const rows = await ask(copy, 'select * exclude (run_id, scored_at) from marketing.current order by user_id');
    results.push({
      slices: [...first, ...second].map(({ kind, as_of, spans, outcome }) => ({ kind, as_of, spans, outcome })),
      rows,
    });
  }
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
  expect(results[0]).toMatchObject({ slices: [{ kind: 'snapshot' }, { kind: 'changes', outcome: { users: 101 } }] });
});

describe('a change table', () => {
  const TOUCHED = INCREMENTAL.replace('table: users, watermark: loaded_at', 'table: touched, watermark: noted').replace(
    'lookback: 10 minutes',
    'lookback: 0 seconds',
  );

  it('that is empty has no end yet; the first row makes a snapshot', async () => {
    const folder = await sliceProject({ incremental: TOUCHED });
    await change(folder, 'create table touched(user_id bigint, noted timestamp)');
    expect(await failedSlice(folder)).toMatchObject({ code: 69, stderr: expect.stringContaining('touched have no rows yet') });
    await change(folder, "insert into touched values (1, timestamp '1997-03-11')");
    expect(await sliced(folder)).toMatchObject([{ kind: 'snapshot', outcome: { users: 100 } }]);
  });

  it('can say that no user changed, that all have, and that one did whom nobody knows', async () => {
    const folder = await sliceProject({ incremental: TOUCHED });
    await change(
      folder,
      'create table touched(user_id bigint, noted timestamp)',
      "insert into touched values (null, timestamp '1997-03-11')",
    );
    await sliced(folder);
    const before = await ask(folder, 'select * from marketing.current order by user_id');
    await change(folder, "insert into touched values (null, timestamp '1997-03-11 01:00')");
    expect(await sliced(folder)).toMatchObject([
      {
        kind: 'changes',
        as_of: '1997-03-11T01:00:00.000001Z',
        outcome: { changed_keys: 0, scored: 0, unchanged: 0, users: 100 },
      },
    ]);
    expect(await ask(folder, 'select * from marketing.current order by user_id')).toEqual(before);

    await change(folder, "insert into touched select user_id, timestamp '1997-03-11 02:00' from users");
    expect(await sliced(folder)).toMatchObject([{ outcome: { changed_keys: 100, scored: 0, unchanged: 100 } }]);
    await change(
      folder,
      'update users set a = 2 - a',
      "insert into touched select user_id, timestamp '1997-03-11 03:00' from users",
    );
    const [all] = await sliced(folder);
    expect(all?.outcome.changed_keys).toBe(100);
    expect(all?.outcome.scored).toBeGreaterThan(90);

    await change(folder, "insert into touched values (12345, timestamp '1997-03-11 04:00')");
    expect(await sliced(folder)).toMatchObject([{ outcome: { scored: 0, deleted: 0, users: 100 } }]);
  });
});

it.each([
  ['dropped', 'drop table marketing.current'],
  ['emptied in part', 'delete from marketing.current where user_id < 50'],
])('a current table that was %s is not filled with changes only; a snapshot is the way out', async (_, statement) => {
  const folder = await sliceProject();
  await sliced(folder);
  await change(folder, statement, NEW_USER);
  const { code, stderr } = await failedSlice(folder);
  expect({ code, stderr }).toEqual({ code: 65, stderr: expect.stringContaining('but the previous slice left 100') });
  expect(stderr).toContain('score-batch --slice --snapshot');
  expect(await sliced(folder, ['--snapshot'])).toMatchObject([{ kind: 'snapshot', outcome: { users: 101 } }]);
  expect(await sliced(folder)).toMatchObject([{ kind: 'changes', outcome: { users: 101, scored: 0 } }]);
});

it('a gate that refuses a slice leaves position and table; the next slice reads the same changes again', async () => {
  const folder = await sliceProject();
  await sliced(folder);
  // No user is older than a hundred: three of 103 users are more than 1 %.
  await change(
    folder,
    "insert into users select 300 + i, timestamp '1997-03-10 22:00', 1000, 0, 'US', timestamp '1997-03-10 22:00' from range(3) t(i)",
    NEW_USER,
  );
  await refused(folder, 65, 'violate a gate of the job file', 'reads the same changes again');
  await refused(folder, 65, 'violate a gate of the job file');
  await change(folder, 'update users set a = 1 where user_id in (301, 302)');
  const [slice] = await sliced(folder);
  expect(slice).toMatchObject({ kind: 'changes', outcome: { users: 104, quarantined: 1 } });
  expect(
    await ask(folder, 'select user_id, reason is null as scored from marketing.current where user_id >= 200 order by 1'),
  ).toEqual([
    { user_id: '200', scored: true },
    { user_id: '300', scored: false },
    { user_id: '301', scored: true },
    { user_id: '302', scored: true },
  ]);
});
