import { cp } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { EMPTY, expectedCsv, FILL, missing, replaced, startWeek, weeklyProject, weekOf } from './week.ts';

const KEPT = '[first_order, basket, orders, cds, amount]';
const COLUMNS = [
  'customer_id',
  'first_order',
  'basket',
  'orders',
  'cds',
  'amount',
  'largest_order',
  'price_per_cd',
  'order_days',
  'days_since_first',
  'days_since_last',
];

/** `first_order` → `First_Order`. */
const title = (text: string) => text.replaceAll(/\b[a-z]|_[a-z]/g, (letters) => letters.toUpperCase());

/** The rows of a report, without the names of its columns. */
const rowsOf = (csv: string) => csv.slice(csv.indexOf('\n'));

// A column's name is the same in any case, and BigQuery keeps the case in which it was given one.
it('BigQuery: query, job and published tables may write the same names in different cases', async ({ skip }) => {
  skip(missing.bigquery, 'the emulator is not there');
  const [source, sink] = [await FILL.bigquery(), await EMPTY.bigquery()];
  const inTitle = await weeklyProject({
    editQuery: (sql) =>
      `select ${COLUMNS.map((name) => `${name} as ${name.toUpperCase()}`).join(', ')} from (\n${sql}\n) as found`,
    edit: (job) => replaced(replaced(job, KEPT, title(KEPT)), 'key: [customer_id]', 'key: [Customer_Id]'),
  });
  const first = await startWeek(inTitle, source, sink);
  expect(first.code, first.stderr).toBe(0);
  const { csv } = await weekOf(inTitle, source, sink);
  expect(csv.split('\n', 1)).toEqual([expect.stringMatching(/^window_label,Customer_Id,First_Order,Basket,/)]);
  expect(rowsOf(csv)).toBe(rowsOf(await expectedCsv()));
  // The tables are there now, in the first job's case.
  const asEver = await weeklyProject();
  await cp(`${inTitle}/reports`, `${asEver}/reports`, { recursive: true });
  const second = await startWeek(asEver, source, sink);
  expect(second.code, second.stderr).toBe(0);
  expect((await weekOf(asEver, source, sink)).csv).toBe(await expectedCsv());
});
