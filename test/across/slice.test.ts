import { expect, it } from 'vitest';
import { query, statements } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { runBigquery, runSnowflake } from './shop.ts';
import { bigquery, EMPTY, FILL, leftInScratch, missing, replaced, snowflake, weekEnvironment, weeklyProject } from './week.ts';

const INCREMENTAL = `
incremental:
  table: marketing.churn_current
  since: 1997-03-10
  changes: [{ table: orders, watermark: date }]
  lookback: 0 seconds
  bands: { high: 0.9, medium: 0.8 }
  refresh: day
`;

/** Runs statements in the warehouse of the URL. @returns rows of the last one */
async function inWarehouse(url: string, list: readonly string[]): Promise<Record<string, unknown>[]> {
  const [, owner = '', name = ''] = /^\w+:(?:\/\/)?([^/]*)\/([^/?]*)/.exec(url) ?? [];
  if (url.startsWith('snowflake:')) return snowflake ? await runSnowflake(snowflake, name, [...list]) : [];
  if (url.startsWith('duckdb:')) {
    const file = url.slice('duckdb:'.length);
    await statements(file, list.slice(0, -1));
    return await query(file, list.at(-1) ?? '');
  }
  let rows: Record<string, unknown>[] = [];
  for (const sql of list) {
    const named = sql.replaceAll(/\borders\b/g, `\`${owner}\`.shop.orders`).replace('marketing.', `\`${owner}\`.marketing.`);
    rows = bigquery ? await runBigquery(bigquery, owner, named) : [];
  }
  return rows;
}

/** What slices of two days make of the demo's orders. */
async function sliced(source: string, sink = source) {
  const folder = await weeklyProject({ edit: (job) => `${replaced(job, '  max_score_psi: 0.25\n', '')}${INCREMENTAL}` });
  const run = async (): Promise<unknown> => {
    const { code, stdout, stderr } = await scoreBatch(folder, ['-q', '--slice', '--json'], weekEnvironment(source, sink));
    expect(code, stderr).toBe(0);
    const { slices } = JSON.parse(stdout);
    return slices.map(({ kind, as_of, outcome }: Record<string, unknown>) => ({ kind, as_of, outcome }));
  };
  await inWarehouse(source, ["delete from orders where date > '1997-03-12'", 'select 1 as one']);
  const first = await run();
  await inWarehouse(source, [
    "insert into orders (customer_id, date, cds, amount) select max(customer_id) + 1, date '1997-03-13', 2, 19.5 from orders",
    "insert into orders (customer_id, date, cds, amount) select min(customer_id), date '1997-03-13', 1, 9.5 from orders where date = '1997-03-12'",
    "delete from orders where customer_id in (select max(customer_id) from orders where date = '1997-03-11')",
    'select 1 as one',
  ]);
  const second = await run();
  const rows = await inWarehouse(sink, [
    `select count(*) as rows_of, cast(sum(churn_propensity) * 1000000 as decimal(20, 0)) as millionths,
       sum(case when deleted then 1 else 0 end) as deleted, sum(case when band = 'high' then 1 else 0 end) as high,
       max(position) as newest from marketing.churn_current`,
  ]);
  return {
    first,
    second,
    table: rows.map((row) => Object.values(row).map(Number)),
    left: [...(await leftInScratch(source)), ...(await leftInScratch(sink))],
  };
}

it.for(['bigquery', 'snowflake'] as const)('slices of %s are those of DuckDB', async (kind, { skip }) => {
  skip(missing[kind], 'the emulator is not there');
  const [expected, found] = [await sliced(await FILL.duckdb()), await sliced(await FILL[kind]())];
  expect({ ...found, left: [] }).toEqual({ ...expected, left: [] });
  expect(found.left).toEqual([]);
  expect(expected.first).toMatchObject([{ kind: 'snapshot' }]);
  expect(expected.second).toMatchObject([{ kind: 'full' }, { kind: 'changes' }]);
});

it('slices from one warehouse into another are those of DuckDB', async ({ skip }) => {
  skip(missing.snowflake, 'the emulator is not there');
  const [expected, found] = [await sliced(await FILL.duckdb()), await sliced(await FILL.snowflake(), await EMPTY.duckdb())];
  expect({ ...found, left: [] }).toEqual({ ...expected, left: [] });
  expect(found.left).toEqual([]);
});
