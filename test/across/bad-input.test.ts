import { expect, it } from 'vitest';
import { EMPTY, FILL, missing, startWeek, weeklyProject } from './week.ts';

type Kind = 'bigquery' | 'snowflake';

interface BadInput {
  readonly what: string;
  readonly kind: Kind;
  /** Replaces text of the job's query. */
  readonly query?: readonly [string, string];
  /** Replaces the source's URL. */
  readonly url?: (url: string) => string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly code: number;
  /** What the message must name. */
  readonly says: RegExp;
}

const CASES: readonly BadInput[] = [
  {
    what: 'a nested record as a feature',
    kind: 'bigquery',
    query: ['count(distinct date) as order_days', 'struct(1 as a) as order_days'],
    code: 78,
    says: /order_days.*STRUCT|order_days.*RECORD/,
  },
  {
    what: 'an array as a kept column',
    kind: 'bigquery',
    query: ['min(date) as first_order', 'array_agg(date) as first_order'],
    code: 78,
    says: /first_order is ARRAY<DATE>/,
  },
  {
    what: 'a dataset that is not there',
    kind: 'bigquery',
    url: (url) => url.replace('/shop', '/nobodys'),
    code: 78,
    says: /nobodys/,
  },
  {
    what: 'a table that is not there',
    kind: 'bigquery',
    query: ['from orders', 'from nobodys_orders'],
    code: 78,
    says: /jobs\/new_users\.bigquery\.sql[\s\S]*nobodys_orders/,
  },
  {
    what: 'a variant as a feature',
    kind: 'snowflake',
    query: ['count(distinct date) as order_days', 'to_variant(1) as order_days'],
    code: 78,
    says: /ORDER_DAYS is VARIANT/i,
  },
  {
    what: 'an array as a kept column',
    kind: 'snowflake',
    query: ['min(date) as first_order', 'array_agg(date) as first_order'],
    code: 78,
    says: /first_order is (ARRAY|VARIANT)/,
  },
  {
    what: 'a table that is not there',
    kind: 'snowflake',
    query: ['from orders', 'from nobodys_orders'],
    code: 78,
    says: /jobs\/new_users\.sql[\s\S]*NOBODYS_ORDERS/i,
  },
  {
    what: 'no credentials',
    kind: 'snowflake',
    environment: { SNOWFLAKE_USER: '', SNOWFLAKE_PASSWORD: '', SNOWFLAKE_HOME: '/nowhere' },
    code: 77,
    says: /no credentials[\s\S]*SNOWFLAKE_PRIVATE_KEY_PATH[\s\S]*hint:/,
  },
];

it.for(CASES)('$what in $kind ends with $code', async ({ kind, query, url, environment, code, says }, { skip }) => {
  skip(missing[kind], 'the emulator is not there');
  const source = await FILL[kind]();
  const folder = await weeklyProject({
    editQuery: (sql) => {
      if (query && !sql.includes(query[0])) throw new Error(`the query does not hold ${query[0]}`);
      return query ? sql.replace(...query) : sql;
    },
  });
  const outcome = await startWeek(folder, url ? url(source) : source, await EMPTY.duckdb(), environment);
  expect(outcome.stderr).toMatch(says);
  expect(outcome.code).toBe(code);
});
