import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Delivery } from './deliveries.ts';
import type { ShopChange } from './shop-rows.ts';

/** Runs one statement. @returns its rows by lower-case names; integers and decimals can be strings */
export type RunSql = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** The warehouse of the replay. */
export interface Shop {
  readonly kind: 'duckdb' | 'bigquery' | 'snowflake';
  readonly url: string;
  /** Variables with which the command's processes find it. */
  readonly environment: NodeJS.ProcessEnv;
  readonly types: { readonly integer: string; readonly decimal: string; readonly boolean: string; readonly timestamp: string };
  /** SQL for an instant as a string: ISO in UTC with six decimals of the second. */
  readonly instant: (column: string) => string;
  /** The table of orders, as statements of the replay name it. */
  readonly orders: string;
  /** The column `position` of the current table, as statements must write it: it can also be a function name. */
  readonly position: string;
  visit<T>(work: (run: RunSql) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

/** A DuckDB file that is closed between visits, because a slice must find it unlocked. */
export function duckdbShop(folder: string): Shop {
  const file = path.join(folder, 'shop.duckdb');
  return {
    kind: 'duckdb',
    url: `duckdb:${file}`,
    environment: {},
    types: { integer: 'bigint', decimal: 'decimal(10, 2)', boolean: 'boolean', timestamp: 'timestamptz' },
    orders: 'orders',
    position: 'position',
    instant: (column) => `strftime(${column} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')`,
    async visit(work) {
      const instance = await DuckDBInstance.create(file);
      const connection = await instance.connect();
      try {
        await connection.run("set TimeZone = 'UTC'");
        return await work(async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJson());
      } finally {
        connection.closeSync();
        instance.closeSync();
      }
    },
    async stop() {},
  };
}

export async function createOrders(
  { orders, types: { integer, decimal, boolean, timestamp } }: Shop,
  run: RunSql,
): Promise<void> {
  await run(`create table ${orders} (order_id ${integer}, version ${integer}, customer_id ${integer}, ordered_at ${timestamp},
    date date, cds ${integer}, amount ${decimal}, cancelled ${boolean}, loaded_at ${timestamp})`);
}

export async function applyChange(
  { orders, types: { timestamp } }: Shop,
  run: RunSql,
  { inserted, deletedOrders }: ShopChange,
): Promise<void> {
  const instant = (ms: number) => `cast('${new Date(ms).toISOString()}' as ${timestamp})`;
  const row = ({ order, version, customer, orderedAt, date, cds, amount, cancelled, loadedAt }: Delivery) =>
    `(${order}, ${version}, ${customer}, ${instant(orderedAt)}, date '${date}', ${cds}, ${
      amount === null ? 'null' : (amount / 100).toFixed(2)
    }, ${cancelled}, ${instant(loadedAt)})`;
  for (let i = 0; i < inserted.length; i += 1000)
    await run(
      `insert into ${orders} values ${inserted
        .slice(i, i + 1000)
        .map(row)
        .join(', ')}`,
    );
  if (deletedOrders.length > 0) await run(`delete from ${orders} where order_id in (${deletedOrders.join(', ')})`);
}
