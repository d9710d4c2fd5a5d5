import { expect, it } from 'vitest';
import { LINEAR_QUERY, linearProject } from './support/linear-project.ts';
import { scoreBatch } from './support/score-batch.ts';
import { slowProject } from './support/steer.ts';

// Jobs that are bound by one thing by far, whatever else the machine does. Those that wait for a network: test/across/bottleneck.test.ts.

const ROWS = 40_000;
const USERS = `
  select i as user_id, date '1997-03-10' + cast(i % 7 as integer) as signup, (i % 20) / 10.0 as a, (i % 13) / 10.0 as b,
    ['US', 'DE', 'FR'][1 + i % 3] as country
  from range(${ROWS}) as users(i)`;

async function summaryOf(folder: string, ...flags: string[]) {
  const { code, stdout, stderr } = await scoreBatch(folder, ['--week', '--json', ...flags]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** Every second of the run is in one stage, and every second of a worker in one part. */
function expectWholeTime({
  seconds,
  workers,
}: {
  seconds: Record<string, number>;
  workers: { workers: number; seconds: object };
}) {
  const spent = Object.values(workers.seconds).reduce((sum, part) => sum + part, 0);
  const stage = workers.workers * (seconds.score ?? 0);
  expect(spent).toBeLessThanOrEqual(stage * 1.0001);
  // Before the workers there is a look at what is staged.
  expect(spent).toBeGreaterThan(stage / 2);
}

it('a heavy model is the bottleneck', async () => {
  const folder = await slowProject({ users: USERS });
  const summary = await summaryOf(folder, '--workers', '1');
  expect(summary.bottleneck).toMatch(/^the model \(model \d/);
  expect(summary.workers).toMatchObject({ workers: 1, rows: ROWS });
  expect(summary.rows_per_second.model).toBeGreaterThanOrEqual(summary.rows_per_second.score);
  expect(summary.rows_per_second.score).toBeGreaterThanOrEqual(summary.rows_per_second.run);
  // The chunk workers do the work.
  expect(summary.workers.main_thread).toBeLessThan(summary.workers.seconds.model);
  expectWholeTime(summary);
});

it('a heavy query is the bottleneck', async () => {
  const folder = await linearProject({
    // Many rows are made for each that is left.
    query: `select user_id, any_value(a) as a, any_value(b) as b, any_value(country) as country
      from (${LINEAR_QUERY}), range(1000000) as work(i)
      where hash(user_id * 1000000 + i) % 7 < 8 group by user_id`,
  });
  const summary = await summaryOf(folder);
  expect(summary.bottleneck).toMatch(/^the query \(freeze \d/);
  expectWholeTime(summary);
});
