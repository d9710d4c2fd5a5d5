import { cp } from 'node:fs/promises';
import { expect } from 'vitest';
import { demoProject } from './demo-project.ts';
import { keptFolder, once } from './kept.ts';
import { readPageData } from './page-data.ts';
import { statements } from './project.ts';
import { warehouseOf } from './published.ts';
import { scoreBatch } from './score-batch.ts';

const NOW = { SCORE_BATCH_NOW: '1997-04-14T08:00:00-04:00' };

/** Customers of the last week whose rows cannot be scored: more CDs than the model takes, and no amount. */
const ODD = [
  `insert into orders select 900000 + i, date '1997-03-11', 5000, 20 from range(3) as odd(i)`,
  `insert into orders select 910000 + i, date '1997-03-12', 1, null from range(2) as odd(i)`,
];

const OUTCOMES = `
  select customer_id, count(case when date >= :label_start_date then 1 end) = 0 as outcome, customer_id % 3 = 0 as contacted
  from orders where date < :label_end_date
  group by customer_id having min(date) >= :window_start_date and min(date) < :window_end_date`;

const edit = (job: string): string =>
  job
    .replace('segments: [basket]', 'segments: [basket, cds]\n  holdout: 5%')
    .replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 5%\n  max_feature_psi: { cds: 0.3, amount: 0.2 }')
    .replace('after: 28 days', 'after: 28 days\n  treated: contacted');

/** The job's own tables, without another job's rows. */
const PREPARED = ['churn_scores', 'churn_scores_quarantine', 'churn_scores_evaluation', 'churn_drift'].map(
  (table) => `create view mine_${table} as select * from marketing.${table} where job = 'churn-weekly'`,
);

/** A folder in which 1997-W07, W08, W10 and W11 are published, and what the page of W11 is made of. */
export const publishedWeeks = once(async () => {
  const folder = await keptFolder();
  await cp(await demoProject({ edit, warehouse: ODD, outcomes: OUTCOMES }), folder, { recursive: true });
  // W09 stays a gap, and W08 is published twice. What has become known is evaluated on the way.
  for (const week of ['W07', 'W08', 'W10', 'W08', 'W11']) {
    const { code, stderr } = await scoreBatch(folder, ['-q', '--week', `1997-${week}`], NOW);
    expect(code, stderr).toBe(0);
  }
  // The same rows under another job: they are no business of this one.
  const others = ['churn_scores', 'churn_scores_quarantine', 'churn_scores_evaluation'].map(
    (table) => `insert into marketing.${table} select * replace ('another-job' as job) from marketing.${table}`,
  );
  await statements(warehouseOf(folder), [...others, ...PREPARED]);
  return { folder, data: await readPageData(folder, { week: '1997-W11' }) };
});
