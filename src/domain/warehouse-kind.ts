export const WAREHOUSE_KINDS = ['duckdb', 'bigquery', 'snowflake'] as const;
export type WarehouseKind = (typeof WAREHOUSE_KINDS)[number];

/** What a warehouse's URL begins with, lower case; undefined where it has no scheme. */
export function schemeOf(url: string): string | undefined {
  return /^([a-z]+):/i.exec(url)?.[1]?.toLowerCase();
}

/** The kind of warehouse behind a URL; undefined where there is no such kind. */
export function warehouseKind(url: string): WarehouseKind | undefined {
  const scheme = schemeOf(url);
  return WAREHOUSE_KINDS.find((kind) => kind === scheme);
}

/** A URL for messages. One that is refused may be of anything: what could be a password or a token is left out. */
export function showUrl(url: string): string {
  return url.replace(/\/\/.*@/s, '//…@').replace(/\?.*$/s, '?…');
}
