import { duckdbShop, type Shop } from './shop.ts';

/** @throws Error for an unknown kind, or if its emulator does not start */
export async function openShop(kind: string, folder: string): Promise<Shop> {
  if (kind === 'duckdb') return duckdbShop(folder);
  if (kind === 'bigquery') return await (await import('./bigquery-shop.ts')).bigqueryShop(folder);
  // Snowflake's client would warn about Node 20 when loaded.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  if (kind === 'snowflake') return await (await import('./snowflake-shop.ts')).snowflakeShop(folder);
  throw new Error(`there is no warehouse ${kind}: --warehouse is duckdb, bigquery or snowflake`);
}
