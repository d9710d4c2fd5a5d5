import { expect, it } from 'vitest';
import { startScoreBatch } from '../support/score-batch.ts';
import { ask, change, sliceProject } from '../support/slice-project.ts';
import { sliced } from '../support/sliced.ts';

it('of two slices at once exactly one publishes each position, and no change is lost or scored twice', {
  timeout: 300_000,
}, async () => {
  const folder = await sliceProject();
  for (const round of [1, 2, 3]) {
    if (round > 1) {
      await change(
        folder,
        `insert into users select 200 + i, timestamp '1997-03-10 ${20 + round}:00', 1, 1, 'US', timestamp '1997-03-10 ${20 + round}:00'
           from range(${round}) t(i)`,
      );
    }
    const both = await Promise.all([1, 2].map(() => startScoreBatch(folder, ['--slice', '--json']).ended));
    for (const { code, stderr } of both) expect([0, 75], stderr).toContain(code);
    expect(both.some(({ code }) => code === 0)).toBe(true);
  }
  const published = await ask(
    folder,
    `select publication, count(distinct run_id) as runs from marketing.score_batch_ledger
     where job = 'linear.incremental' and state = 'published' group by 1 order by 1`,
  );
  expect(published.map(({ publication }) => Number(publication))).toEqual(published.map((_, i) => i + 1));
  expect(published.every(({ runs }) => runs === '1')).toBe(true);
  const counts = 'select count(*) as n, count(distinct user_id) as users from marketing.current';
  expect(await ask(folder, counts)).toEqual([{ n: '103', users: '103' }]);
  // The slices follow each other without a gap: each begins where the one before ended.
  const follows = await ask(
    folder,
    `select details ->> '$.slice.follows' as follows, details ->> '$.slice.spans[0].from' as "from", details ->> '$.slice.spans[0].to' as "to"
     from marketing.score_batch_ledger where job = 'linear.incremental' and state = 'published' order by publication`,
  );
  follows.slice(1).forEach((slice, i) => {
    expect(slice).toMatchObject({ follows: String(i + 1), from: follows[i]?.to });
  });
  const [last] = await sliced(folder);
  expect(last?.outcome).toMatchObject({ users: 103, scored: 0 });
});
