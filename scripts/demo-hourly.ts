// The demo of docs/hourly.md: the orders of data/cdnow arrive by the hour, drawn from a seed, and a weekly job becomes an
// hourly one. The table `orders` holds what has arrived so far; the job is jobs/hourly/churn-hourly.yaml. Ends by itself and
// can be repeated.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { counted } from '../src/domain/counted.ts';
import { drawHistory } from './replay/deliveries.ts';
import { applyChange, createOrders, duckdbShop } from './replay/shop.ts';
import { shopRows } from './replay/shop-rows.ts';
import { ROOT } from './root.ts';
import { textTable } from './text-table.ts';

const SEED = 1;
const JOB = 'jobs/hourly/churn-hourly.yaml';
const FOLDER = `${ROOT}data/hourly`;
/** The job's own files; it touches nothing else in the checkout. */
const FILES = ['shop.duckdb', 'shop.duckdb.wal', 'shop.duckdb.scratch'];

const say = (text: string) => process.stdout.write(`${text}\n`);

mkdirSync(FOLDER, { recursive: true });
for (const file of FILES) rmSync(`${FOLDER}/${file}`, { recursive: true, force: true });
const shop = duckdbShop(FOLDER);
const history = drawHistory({ seed: SEED, until: '1997-03-20', lateCustomersFrom: Number.POSITIVE_INFINITY });
const rows = shopRows(history);
await shop.visit((run) => createOrders(shop, run));
say(`Made data/hourly/shop.duckdb, whose table orders fills by the hour. The job: ${JOB}\n`);
say(`$ export SCORE_BATCH_JOB=${JOB}`);

say('\n# The weekly report works. What would an hourly one cost?');
await ordersArrive('1997-03-10T08:00:00-05:00');
scoreBatch('-q --week');
scoreBatch('profile --measure --freshness 2h');

say('\n# Sunday evening: the first slice reads all users, the next one those of the last hour.');
await ordersArrive('1997-03-16T18:05:00-05:00');
scoreBatch('--slice');
await ordersArrive('1997-03-16T19:05:00-05:00');
scoreBatch('--slice');
scoreBatch('status --slices');
scoreBatch('promote --shadow', 65);

say('\n# The week has ended at midnight: the slice stops there, and the batch scores the same week.');
await ordersArrive('1997-03-17T00:35:00-05:00');
scoreBatch('--slice');
scoreBatch('--week');
scoreBatch('compare --shadow');

say(
  '\n# In shadow people read the batch. With one comparison within limits (shadow.comparisons: 1) they may read the current table.',
);
await showView();
scoreBatch('promote --shadow');
await showView();
scoreBatch('rollback --shadow --reason "marketing wants to wait for another week"');
await showView();

say('\n# No slice for 23 hours: the next start catches up with one, not with 23.');
await ordersArrive('1997-03-17T23:35:00-05:00');
scoreBatch('--slice');
scoreBatch('status --slices');
say('\nLeft behind: data/hourly/shop.duckdb (tables orders, marketing.*). It is replaced by the next run.');

/** Inserts all that has arrived by an instant, which becomes the current time. */
async function ordersArrive(now: string): Promise<void> {
  const change = rows.advance(Date.parse(now));
  await shop.visit((run) => applyChange(shop, run, change));
  const counts = `${counted(change.inserted.length, 'row')} of orders arrived, ${counted(change.deletedOrders.length, 'order was', 'orders were')} deleted`;
  say(`\n$ export SCORE_BATCH_NOW=${now}  # ${counts}`);
  process.env.SCORE_BATCH_NOW = now;
}

/** @param code expected exit code */
function scoreBatch(flags: string, code = 0): void {
  say(`\n$ score-batch ${flags}${code === 0 ? '' : `  # exit code ${code}`}`);
  const words = [...flags.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
  const { status } = spawnSync(process.execPath, [`${ROOT}dist/cli.js`, ...words], {
    cwd: ROOT,
    env: { ...process.env, SCORE_BATCH_JOB: JOB },
    stdio: 'inherit',
  });
  if (status !== code) process.exit(status || 1);
}

async function showView(): Promise<void> {
  const found = await shop.visit(
    async (run) =>
      await run(`select origin, count(*) as users, round(avg(churn_propensity), 4) as mean_score,
        count(*) filter (band = 'high') as high, max(first_order) as newest from marketing.churn_now group by origin`),
  );
  const header = Object.keys(found[0] ?? {});
  const cells = found.map((row) => header.map((name) => String(row[name])));
  say(`\nmarketing.churn_now, what people read:\n${textTable(header, cells)}`);
}
