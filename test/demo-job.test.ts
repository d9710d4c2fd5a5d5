import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { demoProject } from './support/demo-project.ts';
import { repository, statements } from './support/project.ts';
import { publishedRows, rowsOf, warehouseOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';

const CSV = 'reports/churn-1997-W11.csv';
/** Both sides agree to 1e-6 before the published one is rounded to six decimals. */
const TOLERANCE = 1e-6 + 0.5e-6;

it('publishes for every customer of the held-out week the score that Python gives', async () => {
  const folder = await demoProject();
  const { code, stdout } = await scoreBatch(folder, ['--week', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    window: { label: '1997-W11' },
    rows: { frozen: 2053, scored: 2053, quarantined: 0 },
  });
  const text = await readFile(repository('test/fixtures/expected_w11.csv'), 'utf8');
  const expected = new Map(
    (parse(text, { columns: true }) as { customer_id: string; score: string }[]).map((row) => [
      row.customer_id,
      Number(row.score),
    ]),
  );
  const published = await rowsOf(folder, 'select customer_id, churn_propensity as score from marketing.churn_scores');
  expect(expected.size).toBe(2053);
  expect(published.map(({ customer_id }) => customer_id).sort()).toEqual([...expected.keys()].sort());
  const far = published.filter(
    ({ customer_id, score }) => !(Math.abs(Number(score) - (expected.get(String(customer_id)) ?? Number.NaN)) <= TOLERANCE),
  );
  expect(far).toEqual([]);
});

it('counts no order after the window, by old customers or new ones', async () => {
  const [asItWas, later] = [await demoProject(), await demoProject()];
  await statements(warehouseOf(later), [
    // A further, large order for each customer of the week, on the first instant after it and later; and customers who come after it.
    `insert into orders select distinct customer_id, date '1997-03-17', 10, 500 from orders where date between '1997-03-10' and '1997-03-16'`,
    `insert into orders select distinct customer_id, date '1998-07-01', 1, 5 from orders where date between '1997-03-10' and '1997-03-16'`,
    `insert into orders select 1000000 + i, date '1997-03-17', 1, 10 from range(500) as late(i)`,
  ]);
  for (const folder of [asItWas, later]) expect((await scoreBatch(folder, ['--week', '-q'])).code).toBe(0);
  const [before, after] = [await publishedRows(asItWas), await publishedRows(later)];
  expect(after).toEqual(before);
  expect(before['marketing.churn_scores']).toHaveLength(2053);
  expect(await readFile(path.join(later, CSV), 'utf8')).toBe(await readFile(path.join(asItWas, CSV), 'utf8'));
  // The inserted orders are there, so that the query had something to leave out.
  expect(
    await rowsOf(later, "select count(distinct customer_id) > 2053 as seen from orders where date = '1997-03-17'"),
  ).toEqual([{ seen: true }]);
});

it('leaves the same tables and the same bytes when it runs twice', async () => {
  const folder = await demoProject();
  expect((await scoreBatch(folder, ['--week', '-q'])).code).toBe(0);
  const first = { rows: await publishedRows(folder), csv: await readFile(path.join(folder, CSV)) };
  const again = await scoreBatch(folder, ['--week', '-q', '--workers', '1'], { SCORE_BATCH_NOW: '1997-03-18T21:30:00Z' });
  expect(again.code).toBe(0);
  expect(await publishedRows(folder)).toEqual(first.rows);
  // Equal scores leave nothing to go back to.
  expect(await rowsOf(folder, 'select count(*) as n from marketing.churn_scores_replaced')).toEqual([{ n: '0' }]);
  expect((await readFile(path.join(folder, CSV))).equals(first.csv)).toBe(true);
  const runs = await rowsOf(folder, 'select count(distinct run_id) as n from marketing.score_batch_ledger');
  expect(runs).toEqual([{ n: '2' }]);
});

it('gives the same scores in many chunks as in one', async () => {
  const [one, many] = [await demoProject(), await demoProject()];
  const job = path.join(many, 'jobs/job.yaml');
  await writeFile(job, (await readFile(job, 'utf8')).replace('score:', 'score:\n  chunk_rows: 100\n  batch_rows: 7'));
  for (const folder of [one, many]) expect((await scoreBatch(folder, ['--week', '-q'])).code).toBe(0);
  expect(await readFile(path.join(many, CSV), 'utf8')).toBe(await readFile(path.join(one, CSV), 'utf8'));
  expect(await publishedRows(many)).toEqual(await publishedRows(one));
});
