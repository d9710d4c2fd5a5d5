import { randomBytes } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import type { Column } from '../../../src/domain/schema.ts';
import { type Client, openClient } from '../../../src/warehouse/snowflake/client.ts';
import { literal } from '../../../src/warehouse/snowflake/dialect.ts';
import { identifier, tableIdentifier } from '../../../src/warehouse/snowflake/names.ts';
import { openSnowflake } from '../../../src/warehouse/snowflake/open.ts';
import { parseTarget } from '../../../src/warehouse/snowflake/target.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import type { Kind, Subject } from '../conformance/subject.ts';

// The suite runs on the emulator. To run it on Snowflake itself:
//
//   SCORE_BATCH_TEST_SNOWFLAKE='snowflake://ORG-ACCOUNT/DATABASE/SCHEMA?warehouse=W&role=R' SCORE_BATCH_TEST_WRITE=1 \
//     npx vitest run --project emulators test/warehouse/snowflake
//
// with credentials as for score-batch itself (SNOWFLAKE_USER and the other SNOWFLAKE_ variables). The role needs `grant create database on account`:
// every test makes a transient database SCORE_BATCH_TEST_<random> without retention, holds everything it makes in it, and
// drops it at its end. Without SCORE_BATCH_TEST_WRITE=1 nothing is made, and only read-only.test.ts runs there.

/** Snowflake itself, where the environment says so. */
export const REAL = process.env.SCORE_BATCH_TEST_SNOWFLAKE;
/** Whether databases may be made there. */
const MAY_WRITE = process.env.SCORE_BATCH_TEST_WRITE === '1';

const NEVER = new AbortController().signal;

/** Where the tests' warehouse is; undefined where there is none. */
export function environment(): NodeJS.ProcessEnv | undefined {
  if (REAL !== undefined) return process.env;
  const emulator = inject('snowflake');
  return emulator && { SNOWFLAKE_USER: 'fake', SNOWFLAKE_PASSWORD: 'snow', SNOWFLAKE_ACCESS_URL: emulator.url };
}

/** Whether tests may make tables somewhere. */
export function mayMake(): boolean {
  return environment() !== undefined && (REAL === undefined || MAY_WRITE);
}

interface OpenOptions {
  readonly job?: string;
  readonly unload?: boolean;
  readonly signal?: AbortSignal;
}

export function openAt(url: string, { job = 'job', unload = false, signal = NEVER }: OpenOptions = {}): Warehouse {
  return openSnowflake({
    url,
    job,
    root: '/',
    scratch: 'scratch',
    memory: 500e6,
    unload,
    maxBytes: undefined,
    signal,
    environment: environment() ?? {},
    warn: () => undefined,
  });
}

/** A database of its own for one test, by a URL. */
export async function makeDatabase(): Promise<{ url: string; client: Client }> {
  const url = new URL(REAL ?? 'snowflake://fakesnow/home/public?warehouse=w');
  const database = `score_batch_test_${randomBytes(6).toString('hex')}`;
  const login = (target: URL) =>
    openClient(
      { target: parseTarget(target.href), environment: environment() ?? {}, warn: () => undefined },
      'score-batch test',
      NEVER,
    );
  const own = new URL(`/${database}/public${url.search}`, url);
  // The emulator makes a database when somebody logs in to it.
  if (REAL !== undefined) {
    const maker = login(url);
    const run = (sql: string) => maker.use((session) => session.rows(sql));
    await run(`CREATE TRANSIENT DATABASE ${identifier(database)} DATA_RETENTION_TIME_IN_DAYS = 0`);
    onTestFinished(async () => {
      await run(`DROP DATABASE ${identifier(database)}`);
      await maker.close();
    });
  }
  const client = login(own);
  onTestFinished(() => client.close());
  return { url: own.href, client };
}

export async function makeSubject(): Promise<Subject> {
  const { url, client } = await makeDatabase();
  return {
    open: (options) => openAt(url, options),
    execute: async (sql) => {
      await client.use((session) => session.rows(sql));
    },
    rows: (sql) =>
      client.use(async (session) => {
        const columns = await session.describe(sql);
        const rows = await session.rows(sql);
        return rows.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name.toLowerCase(), row[i]])));
      }),
    table: tableIdentifier,
    quote: identifier,
    literal,
    alterFrozen: async (how) => {
      const table = 'scratch.score_batch_frozen_run';
      const sql =
        how === 'another value'
          ? `update ${table} set a = a + 1 where user_id = 0`
          : `insert into ${table} select * from ${table} where user_id = 0`;
      await client.use((session) => session.rows(sql));
    },
    alterStaged: async () => {
      await client.use(async (session) => {
        const found = await session.rows(
          `select table_name from information_schema.tables where table_name like 'SCORE_BATCH_COUNTED_%_RUN'`,
        );
        for (const [name] of found) {
          const table = `scratch.${identifier(name ?? '')}`;
          await session.rows(`insert into ${table} select * from ${table} where key_0 = 0`);
        }
      });
    },
    odd: { table: 'odd "scores"; x', column: `it's "a"; column` },
    integerType: 'number(18,0)',
    stringType: 'varchar',
    range: (n) => `(select row_number() over (order by 1) - 1 as i from table(generator(rowcount => ${n})))`,
    kinds: KINDS,
  };
}

const KINDS: readonly Kind[] = [
  kind('tiny', 'integer', 'NUMBER(3,0)', ['cast(-128 as number(3,0))', 'cast(127 as number(3,0))'], ['-128', '127']),
  kind(
    'big',
    'integer',
    'NUMBER(18,0)',
    ['cast(9007199254740993 as number(18,0))', 'cast(-999999999999999999 as number(18,0))'],
    ['9007199254740993', '-999999999999999999'],
  ),
  kind(
    'huge',
    'decimal',
    'NUMBER(38,0)',
    ["cast('12345678901234567890123456789012345678' as number(38,0))", 'cast(-1 as number(38,0))'],
    ['12345678901234567890123456789012345678', '-1'],
    [38, 0],
  ),
  kind(
    'price',
    'decimal',
    'NUMBER(18,4)',
    ["cast('12345678901234.5678' as number(18,4))", "cast('-0.0001' as number(18,4))"],
    ['12345678901234.5678', '-0.0001'],
    [18, 4],
  ),
  kind('ratio', 'float', 'FLOAT', ["cast('0.1' as float)", "cast('1e300' as float)"], ['0.1', '1e+300']),
  kind('flag', 'bool', 'BOOLEAN', ['true', 'false'], ['true', 'false']),
  kind('text', 'string', 'VARCHAR', [`'ü 漢 \u{1F600} e\u0301'`, `''`], ['ü 漢 \u{1F600} e\u0301', '']),
  kind('day', 'date', 'DATE', [`cast('2024-02-29' as date)`, `cast('1583-01-01' as date)`], ['2024-02-29', '1583-01-01']),
  kind(
    'wall_clock',
    'datetime',
    'TIMESTAMP_NTZ',
    [`cast('2026-11-01 01:30:00.123456' as timestamp_ntz)`, `cast('1969-12-31 23:59:59' as timestamp_ntz)`],
    ['2026-11-01 01:30:00.123456', '1969-12-31 23:59:59'],
  ),
  kind(
    'instant',
    'timestamp',
    'TIMESTAMP_TZ',
    [`cast('2026-11-01 01:30:00.123456 -05:00' as timestamp_tz)`, `cast('1970-01-01 00:00:00 +01:00' as timestamp_tz)`],
    ['2026-11-01 06:30:00.123456+00', '1969-12-31 23:00:00+00'],
  ),
];

/** Names are as Snowflake gives them: upper case. */
function kind(
  name: string,
  type: Column['type'],
  native: string,
  expressions: Kind['expressions'],
  values: Kind['values'],
  digits?: Column['digits'],
): Kind {
  return { column: { name: name.toUpperCase(), type, native, ...(digits && { digits }) }, expressions, values };
}
