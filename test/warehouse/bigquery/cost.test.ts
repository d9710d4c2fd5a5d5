import { expect, it } from 'vitest';
import { EMPTY, replaced, startWeek, weeklyProject } from '../../across/week.ts';
import { scoreBatch } from '../../support/score-batch.ts';
import { fakeGoogle } from './fake-google.ts';

// What a query costs, as the command line shows it; the emulator reads 0 bytes always. Google's documented answer, unproven on
// BigQuery itself; see fake-google.ts.

const COLUMNS = [
  ['customer_id', 'INTEGER'],
  ['first_order', 'DATE'],
  ['basket', 'STRING'],
  ...['orders', 'cds', 'order_days', 'days_since_first', 'days_since_last'].map((name) => [name, 'INTEGER']),
  ...['amount', 'largest_order', 'price_per_cd'].map((name) => [name, 'FLOAT']),
].map(([name, type]) => ({ name, type }));

/** A BigQuery whose query of the week would read 5 TB. */
async function expensive(): Promise<Record<'BIGQUERY_EMULATOR_HOST', string>> {
  const google = await fakeGoogle(({ path, body }) => {
    if (path.startsWith('/queries/')) return { body: { totalRows: '1', rows: [{ f: [{ v: 'true' }] }] } };
    if (path !== '/jobs' || !body.configuration.dryRun) return undefined;
    const asksWhetherReady = !body.configuration.query.query.includes('customer_id');
    const fields = asksWhetherReady ? [{ name: 'f0_', type: 'BOOLEAN' }] : COLUMNS;
    const query = { schema: { fields }, totalBytesProcessed: '5000000000000' };
    return { body: { ...body, status: { state: 'DONE' }, statistics: { query } } };
  });
  return { BIGQUERY_EMULATOR_HOST: google.url };
}

it('plan shows what the query reads, and its price at the rate of the job file', async () => {
  const folder = await weeklyProject({
    edit: (job) => replaced(job, '  key: [customer_id]', '  key: [customer_id]\n  usd_per_tib: 5'),
  });
  const environment = { ...(await expensive()), WAREHOUSE_URL: 'bigquery://project/home', SINK_URL: await EMPTY.duckdb() };
  const { code, stdout, stderr } = await scoreBatch(folder, ['plan', '--week'], environment);
  expect(stdout, stderr).toContain('reads     5 TB, 22.7374 USD at 5 USD per TiB');
  expect(code).toBe(0);
  const { stdout: json } = await scoreBatch(folder, ['plan', '--week', '--json'], environment);
  expect(JSON.parse(json)).toMatchObject({ bytes: 5e12, usd_per_tib: 5 });
});

it('refuses a query that would read more than the job file allows, before anything is sent', async () => {
  const folder = await weeklyProject({
    edit: (job) => replaced(job, '  key: [customer_id]', '  key: [customer_id]\n  max_bytes: 50GB'),
  });
  const { code, stderr } = await startWeek(folder, 'bigquery://project/home', await EMPTY.duckdb(), await expensive());
  expect(stderr).toMatch(/^error: the query would read 5 TB, but source\.max_bytes is 50 GB\n {2}job .*\nhint: /);
  expect(code).toBe(65);
});
