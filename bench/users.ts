import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/** Rows per statement: memory and the undo log stay small at any number of rows. */
const SLICE_ROWS = 10_000_000;
const MEMORY = '2GB';

/** Users of one week signed up on one of its days. */
const IN_ONE_WEEK = "date '2026-08-03' + cast(hash(i) % 7 as integer)";

/** SQL over the user's number `i`. */
export interface UserColumns {
  /** Replaces the plain column. */
  readonly key?: string;
  readonly signupDate?: string;
  /** Additional columns by name. */
  readonly more?: Readonly<Record<string, string>>;
}

/** A DuckDB file with users of one ISO week: 20 numbers with about 1 % nulls, a country and a plan. Its folder is emptied. */
export async function generateUsers(warehouse: string, rows: number, columns: UserColumns = {}): Promise<void> {
  const { key = 'cast(i as bigint)', signupDate = IN_ONE_WEEK, more = {} } = columns;
  const integers = [100, 1000, 24, 365, 50, 12, 7, 5000, 60, 10].map(
    (size, k) => `case when hash(i, ${k}) % 100 = 0 then null else cast(hash(i, ${k + 100}) % ${size} as integer) end as f${k}`,
  );
  const doubles = [1, 10, 100, 1000, 1, 5, 20, 200, 2, 1].map(
    (size, j) =>
      `cast(case when hash(i, ${j + 10}) % 100 = 0 then null else (hash(i, ${j + 110}) % 1000000) / 1000000.0 * ${size} end as double) as f${j + 10}`,
  );
  const others = Object.entries(more).map(([name, value]) => `${value} as ${name}`);
  await generateTable(warehouse, 'users', rows, [
    `${key} as user_id`,
    `${signupDate} as signup_date`,
    ...integers,
    ...doubles,
    `${COUNTRY('i')} as country`,
    `${PLAN('i')} as plan`,
    ...others,
  ]);
}

/**
 * A DuckDB file with this many events per user in one ISO week, unordered: each has a kind from 0 to 9 and an amount in cents.
 */
export async function generateEvents(warehouse: string, users: number, eventsPerUser: number): Promise<void> {
  await generateTable(warehouse, 'events', users * eventsPerUser, [
    `cast(i % ${users} as bigint) as user_id`,
    "date '2026-08-03' + cast(hash(i) % 7 as integer) as happened_on",
    'cast(hash(i, 1) % 10 as integer) as kind',
    'cast(hash(i, 2) % 10000 as integer) as cents',
    `${COUNTRY(`i % ${users}`)} as country`,
    `${PLAN(`i % ${users}`)} as plan`,
  ]);
}

const COUNTRY = (user: string) =>
  `['US','GB','DE','FR','IN','BR','JP','ES','IT','CA','AU','MX'][cast(1 + hash(${user}, 777) % 12 as bigint)]`;
const PLAN = (user: string) => `['free','basic','pro','team','enterprise'][cast(1 + hash(${user}, 778) % 5 as bigint)]`;

async function generateTable(warehouse: string, table: string, rows: number, columns: readonly string[]): Promise<void> {
  const folder = path.dirname(warehouse);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // Renamed once complete: an incomplete file would be taken for the users.
  const pending = `${warehouse}.pending`;
  const made = (from: number, to: number) => `select ${columns.join(',\n')} from range(${from}, ${to}) t(i)`;
  await withDatabase(pending, async (connection) => {
    await connection.run(`create table ${table} as ${made(0, 0)}`);
    for (let from = 0; from < rows; from += SLICE_ROWS) {
      await connection.run(`insert into ${table} ${made(from, Math.min(rows, from + SLICE_ROWS))}`);
      await connection.run('checkpoint');
    }
  });
  renameSync(pending, warehouse);
}

/** The same users as a folder of Parquet files; skipped if it exists. */
export async function exportUsers(warehouse: string, folder: string): Promise<void> {
  if (existsSync(folder)) return;
  const pending = `${folder}.pending`;
  rmSync(pending, { recursive: true, force: true });
  await withDatabase(warehouse, async (connection) => {
    await connection.run(`copy users to '${pending.replaceAll("'", "''")}' (format parquet, file_size_bytes '128MB')`);
  });
  renameSync(pending, folder);
}

async function withDatabase(file: string, work: (connection: DuckDBConnection) => Promise<void>): Promise<void> {
  const instance = await DuckDBInstance.create(file, { memory_limit: MEMORY, temp_directory: `${file}.tmp` });
  const connection = await instance.connect();
  try {
    await work(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
    rmSync(`${file}.tmp`, { recursive: true, force: true });
  }
}
