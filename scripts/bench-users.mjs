import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** Rows that one statement makes: memory and the undo log stay small at any number of rows. */
const SLICE_ROWS = 10_000_000;
const MEMORY = '2GB';

/** A DuckDB file with users of one ISO week: 20 numbers with about 1 % nulls, a country and a plan. Its folder is emptied. */
export async function generateUsers(warehouse, rows) {
  const folder = path.dirname(warehouse);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // Renamed once it is whole: a file that was left half made would be taken for the users.
  const pending = `${warehouse}.pending`;
  const integers = [100, 1000, 24, 365, 50, 12, 7, 5000, 60, 10].map(
    (size, k) => `case when hash(i, ${k}) % 100 = 0 then null else cast(hash(i, ${k + 100}) % ${size} as integer) end as f${k}`,
  );
  const doubles = [1, 10, 100, 1000, 1, 5, 20, 200, 2, 1].map(
    (size, j) =>
      `cast(case when hash(i, ${j + 10}) % 100 = 0 then null else (hash(i, ${j + 110}) % 1000000) / 1000000.0 * ${size} end as double) as f${j + 10}`,
  );
  const users = (
    from,
    to,
  ) => `select cast(i as bigint) as user_id, date '2026-08-03' + cast(hash(i) % 7 as integer) as signup_date,
      ${[...integers, ...doubles].join(',\n')},
      ['US','GB','DE','FR','IN','BR','JP','ES','IT','CA','AU','MX'][cast(1 + hash(i, 777) % 12 as bigint)] as country,
      ['free','basic','pro','team','enterprise'][cast(1 + hash(i, 778) % 5 as bigint)] as plan
    from range(${from}, ${to}) t(i)`;
  await withDatabase(pending, async (connection) => {
    await connection.run(`create table users as ${users(0, 0)}`);
    for (let from = 0; from < rows; from += SLICE_ROWS) {
      await connection.run(`insert into users ${users(from, Math.min(rows, from + SLICE_ROWS))}`);
      await connection.run('checkpoint');
    }
  });
  renameSync(pending, warehouse);
}

/** The same users as a folder of Parquet files, unless it is there. */
export async function exportUsers(warehouse, folder) {
  if (existsSync(folder)) return;
  const pending = `${folder}.pending`;
  rmSync(pending, { recursive: true, force: true });
  await withDatabase(warehouse, (connection) =>
    connection.run(`copy users to '${pending.replaceAll("'", "''")}' (format parquet, file_size_bytes '128MB')`),
  );
  renameSync(pending, folder);
}

async function withDatabase(file, work) {
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
