import { expect, it } from 'vitest';
import { scoreBatch } from '../support/score-batch.ts';
import { EMPTY, ENVIRONMENT, FILL, missing, replaced, weeklyProject } from './week.ts';

// As test/row-values.test.ts for the other kinds, as source and as sink. What BigQuery and Snowflake themselves say is in
// test/warehouse/*/errors.test.ts; the emulators say what DuckDB does.

/** Stands in rows only: no statement holds it. */
const VALUES = /jo\d+@example\.com/;

it.for(['bigquery', 'snowflake'] as const)('%s: a cast that fails shows no value', async (kind, { skip }) => {
  skip(missing[kind], 'the emulator is not there');
  const [source, sink] = [await FILL[kind](), await EMPTY[kind]()];
  const folder = await weeklyProject({
    editQuery: (sql) => {
      const email = `concat('jo', max(amount), '@example.com')`;
      const type = sql.includes('float64') ? 'int64' : 'integer';
      return replaced(sql, 'count(distinct date) as order_days', `max(cast(${email} as ${type})) as order_days`);
    },
  });
  const environment = { ...ENVIRONMENT, WAREHOUSE_URL: source, SINK_URL: sink };
  const run = await scoreBatch(folder, ['--week', '-v', '--json'], environment);
  const status = await scoreBatch(folder, ['status', '--json'], environment);
  for (const text of [run.stdout, run.stderr, status.stdout, status.stderr]) expect(text).not.toMatch(VALUES);
  expect(run.stderr).toMatch(/rejects jobs\/new_users/);
  expect(run.code).toBe(78);
});
