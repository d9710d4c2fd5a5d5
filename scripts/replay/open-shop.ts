import { duckdbShop, type Shop } from './shop.ts';

/** @throws Error for an unknown kind, or if its emulator does not start */
export async function openShop(kind: string, folder: string): Promise<Shop> {
  if (kind === 'duckdb') return duckdbShop(folder);
  if (kind === 'bigquery') return await (await import('./bigquery-shop.ts')).bigqueryShop(folder);
  if (kind === 'snowflake') return await (await import('./snowflake-shop.ts')).snowflakeShop(folder);
  throw new Error(`there is no warehouse ${kind}: --warehouse is duckdb, bigquery or snowflake`);
}
