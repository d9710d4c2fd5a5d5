import { expect, it } from 'vitest';
import { type Outcome, scoreBatch } from '../support/score-batch.ts';
import { ask, change, currentRows, INCREMENTAL, sliceProject } from '../support/slice-project.ts';
import { trainAgain } from '../support/trained-again.ts';

async function slice(folder: string, ...flags: string[]) {
  const outcome = await scoreBatch(folder, ['--slice', '--json', ...flags]);
  expect(outcome.code, outcome.stderr).toBe(0);
  return lastOf(outcome);
}

function lastOf({ stdout }: Outcome) {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '').slices;
}

it('takes a snapshot first, then only what changed, and keeps the score of users whose features did not change', async () => {
  const folder = await sliceProject();
  const [first] = await slice(folder);
  expect(first).toMatchObject({ kind: 'snapshot', as_of: '1997-03-10T21:30:00.000001Z', outcome: { scored: 100, users: 100 } });
  const before = await currentRows(folder);
  expect(before).toHaveLength(100);
  await change(
    folder,
    "insert into users values (7, timestamp '1997-03-10 22:00', 1.9, 0, 'US', timestamp '1997-03-10 22:00')",
    "insert into users select user_id, happened_at, a, b, 'NO', timestamp '1997-03-10 22:05' from users where user_id = 8",
    "insert into users values (200, timestamp '1997-03-10 22:01', 0.5, 0, 'FR', timestamp '1997-03-10 22:01')",
  );
  const [second] = await slice(folder);
  expect(second).toMatchObject({
    kind: 'changes',
    // 98 and 99 are within the look-back.
    outcome: { changed_keys: 5, scored: 2, unchanged: 3, users: 101, deleted: 0 },
  });
  const after = await currentRows(folder);
  const of = (rows: typeof after, id: number) => rows.find(({ user_id }) => user_id === String(id));
  expect(of(after, 7)).toMatchObject({ previous_score: of(before, 7)?.propensity, position: '2', deleted: false });
  expect(of(after, 8)).toMatchObject({
    country: 'NO',
    propensity: of(before, 8)?.propensity,
    changed_at: of(before, 8)?.changed_at,
  });
  expect(of(after, 200)).toMatchObject({ previous_score: null, changed_at: '1997-03-10 22:05:00.000001+00' });
  expect(after.filter(({ position }) => position === '1')).toEqual(
    before.filter(({ user_id }) => ![7, 8, 98, 99].includes(Number(user_id))),
  );
  const [third] = await slice(folder);
  expect(third).toMatchObject({ outcome: { scored: 0, unchanged: 3, users: 101 } });
});

it('marks users that the query has no more, and takes them back', async () => {
  const folder = await sliceProject();
  await slice(folder);
  await change(
    folder,
    "update users set happened_at = timestamp '1997-03-01', loaded_at = timestamp '1997-03-10 22:00' where user_id = 5",
    'delete from users where user_id = 6',
  );
  const [second] = await slice(folder);
  expect(second.outcome).toMatchObject({ deleted: 1, users: 99 });
  expect(await currentRows(folder, 'deleted')).toMatchObject([{ user_id: '5', propensity: null, position: '2' }]);
  // A row that is gone shows in no watermark.
  const [third] = await slice(folder, '--snapshot');
  expect(third).toMatchObject({ kind: 'snapshot', outcome: { deleted: 1, users: 98, scored: 0, unchanged: 98 } });
  await change(folder, "update users set happened_at = loaded_at, loaded_at = timestamp '1997-03-10 22:30' where user_id = 5");
  await slice(folder);
  expect(await currentRows(folder, 'user_id in (5, 6)')).toMatchObject([{ deleted: false }, { deleted: true }]);
});

it('rescores the others after a change of model, a part in each slice, and says of which model each score is', async () => {
  const folder = await sliceProject({ incremental: `${INCREMENTAL}  rescore_rows: 60\n` });
  await slice(folder);
  await trainAgain(folder);
  await change(folder, "insert into users values (99, timestamp '1997-03-10 22:00', 1, 1, 'US', timestamp '1997-03-10 22:00')");
  const [second] = await slice(folder);
  expect(second.outcome).toMatchObject({ other_model: 38 });
  const [third] = await slice(folder);
  expect(third.outcome).toMatchObject({ other_model: 0 });
  expect(await ask(folder, 'select distinct model_version from marketing.current')).toEqual([{ model_version: '2' }]);
  const [fourth] = await slice(folder);
  expect(fourth.outcome).toMatchObject({ scored: 0 });
});
