import { mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

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
  const instance = await DuckDBInstance.create(pending);
  const connection = await instance.connect();
  await connection.run(`create table users as
    select cast(i as bigint) as user_id, date '2026-08-03' + cast(hash(i) % 7 as integer) as signup_date,
      ${[...integers, ...doubles].join(',\n')},
      ['US','GB','DE','FR','IN','BR','JP','ES','IT','CA','AU','MX'][cast(1 + hash(i, 777) % 12 as bigint)] as country,
      ['free','basic','pro','team','enterprise'][cast(1 + hash(i, 778) % 5 as bigint)] as plan
    from range(${rows}) t(i)`);
  connection.closeSync();
  instance.closeSync();
  renameSync(pending, warehouse);
}
