// The demo: builds the warehouse from real orders, then runs the actual cron line on Mondays, the last one after 1997-W11. Four
// weeks after 1997-W09, it compares the first three weeks with their customers' outcomes and writes the report again.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { ROOT } from './root.ts';
import { textTable } from './text-table.ts';

const warehouse = `${ROOT}data/warehouse.duckdb`;
const cli = `${ROOT}dist/cli.js`;
/** The Monday after 1997-W11. */
const MONDAY = '1997-03-17T08:00:00-05:00';
/** The Monday on which the outcomes of 1997-W09 are known. */
const LATER = '1997-03-31T08:00:00-05:00';
/** Earlier weeks, and the Monday after each. */
const EARLIER = { '1997-W07': '1997-02-17', '1997-W08': '1997-02-24', '1997-W09': '1997-03-03', '1997-W10': '1997-03-10' };
/** Weeks whose outcomes are known by `LATER`. */
const KNOWN = ['1997-W07', '1997-W08', '1997-W09'];
const PAGE = 'reports/churn-1997-W11.html';

/** Orders in data/cdnow/transactions.csv. */
const ORDERS = 69_659;
const say = (text: string) => process.stdout.write(`${text}\n`);

if (existsSync(warehouse)) await useWarehouse();
else await buildWarehouse();

for (const [week, monday] of Object.entries(EARLIER)) {
  const now = `${monday}T08:00:00-05:00`;
  say(`$ SCORE_BATCH_NOW=${now} score-batch -q --week  # ${week}`);
  scoreBatch(now, '-q', '--week');
}
say(`$ SCORE_BATCH_NOW=${MONDAY} score-batch --week`);
scoreBatch(MONDAY, '--week');
say('\n$ score-batch status');
scoreBatch(MONDAY, 'status');
say('');
for (const week of KNOWN) {
  say(`$ SCORE_BATCH_NOW=${LATER} score-batch evaluate --week ${week}`);
  quietly(LATER, 'evaluate', '--week', week);
}
say(`$ SCORE_BATCH_NOW=${LATER} score-batch report --week 1997-W11  # with what is known by now`);
quietly(LATER, 'report', '--week', '1997-W11');
const [riskiest] = await rowsOf(
  "select customer_id from marketing.churn_weekly_report where window_label = '1997-W11' and rank = 1",
);
say(`\n$ score-batch explain ${riskiest} --week 1997-W11`);
scoreBatch(LATER, 'explain', String(riskiest), '--week', '1997-W11');

say('\nWhat came out:');
await show(
  "select rank, customer_id, basket, churn_propensity as score, band, reason_1, reason_2 from marketing.churn_weekly_report where window_label = '1997-W11' order by rank limit 5",
  'marketing.churn_weekly_report, the five riskiest of 2,053 new customers of 1997-W11',
);
await show(
  "select segment, segment_value, band, users, share, mean_score, expected_churners from marketing.churn_weekly_summary where window_label = '1997-W11' order by segment, segment_value, mean_score desc",
  'marketing.churn_weekly_summary of 1997-W11',
);
await show(
  `select decile, count(*) as customers, round(avg(churn_propensity), 3) as mean_score,
     round(100.0 * count(*) filter (not exists (
       from orders o where o.customer_id = s.customer_id and o.date >= date '1997-03-17' and o.date < date '1997-03-17' + 28)) / count(*), 1) as stayed_away_percent
   from marketing.churn_scores s where window_label = '1997-W11' group by decile order by decile`,
  'what became of them: no order in the 28 days after the week, by decile of the score (the model had never seen this week)',
);
await show(
  `select window_label as week, users, positives as stayed_away, round(mean_score, 3) as mean_score, round(auc, 3) as auc,
     round(auc_low, 3) as auc_low, round(auc_high, 3) as auc_high, round(calibration_error, 3) as off_by, in_sample
   from marketing.churn_scores_evaluation where segment = 'all' and part = 'overall' order by window_label`,
  'marketing.churn_scores_evaluation: did it come true? (an AUC of 0.5 is chance, 1 a perfect order)',
);
say(
  'Left behind: data/warehouse.duckdb (tables orders, marketing.*) and a CSV file and a page per week in reports/. Run it again: same rows, same files.',
);
say(`\nOpen the report: ${ROOT}${PAGE} (all weeks: reports/index.html)`);

async function buildWarehouse(): Promise<void> {
  // Removes reports of an earlier demo, whose ledger is gone: the job would take them for the user's own files.
  for (const week of [...Object.keys(EARLIER), '1997-W11'])
    for (const kind of ['csv', 'html']) rmSync(`${ROOT}reports/churn-${week}.${kind}`, { force: true });
  rmSync(`${ROOT}reports/index.html`, { force: true });
  const orders = await withWarehouse(async (connection) => {
    await connection.run(
      `create table orders as select * from read_csv('${ROOT.replaceAll("'", "''")}data/cdnow/transactions.csv',
         columns = {customer_id: 'bigint', date: 'date', cds: 'integer', amount: 'decimal(10,2)'})`,
    );
    return await countOrders(connection);
  });
  say(
    `Built data/warehouse.duckdb from data/cdnow/transactions.csv: ${orders.toLocaleString('en')} orders of a CD shop, 1997 and 1998.\n`,
  );
}

/** Never removes an existing file: it may be the user's own. */
async function useWarehouse(): Promise<void> {
  const orders = await withWarehouse(countOrders).catch(() => 0);
  if (orders !== ORDERS) {
    say(
      'error: data/warehouse.duckdb is there and is not the warehouse of the demo\nhint: move it away, and run the demo again',
    );
    process.exit(1);
  }
  say('Using data/warehouse.duckdb as an earlier demo left it: the week is scored and published over again.\n');
}

async function countOrders(connection: DuckDBConnection): Promise<number> {
  return Number((await connection.runAndReadAll('select count(*) from orders')).getRows()[0]?.[0]);
}

async function show(sql: string, title: string): Promise<void> {
  const { header, rows } = await withWarehouse(async (connection) => {
    const result = await connection.runAndReadAll(sql);
    return { header: result.columnNames(), rows: result.getRows().map((row) => row.map(String)) };
  });
  say(`\n${title}\n${textTable(header, rows)}`);
}

/** The first column of a query. */
async function rowsOf(sql: string): Promise<string[]> {
  return await withWarehouse(async (connection) =>
    (await connection.runAndReadAll(sql)).getRows().map(([first]) => String(first)),
  );
}

async function withWarehouse<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(warehouse);
  const connection = await instance.connect();
  try {
    return await work(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function scoreBatch(now: string, ...flags: string[]): void {
  const { status } = spawnSync(process.execPath, [cli, ...flags], { cwd: ROOT, env: environmentAt(now), stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Without output, because the results are shown at the end. */
function quietly(now: string, ...flags: string[]): void {
  const { status } = spawnSync(process.execPath, [cli, '-q', ...flags], {
    cwd: ROOT,
    env: environmentAt(now),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
}

function environmentAt(now: string): NodeJS.ProcessEnv {
  return { ...process.env, SCORE_BATCH_NOW: now, WAREHOUSE_URL: `duckdb:${warehouse}` };
}
