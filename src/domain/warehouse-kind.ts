export const WAREHOUSE_KINDS = ['duckdb', 'bigquery', 'snowflake'] as const;
export type WarehouseKind = (typeof WAREHOUSE_KINDS)[number];

/** The scheme of a warehouse's URL, lower case; undefined if it has none. */
export function schemeOf(url: string): string | undefined {
  return /^([a-z]+):/i.exec(url)?.[1]?.toLowerCase();
}

/** The kind of warehouse of a URL; undefined if its scheme is unsupported. */
export function warehouseKind(url: string): WarehouseKind | undefined {
  const scheme = schemeOf(url);
  return WAREHOUSE_KINDS.find((kind) => kind === scheme);
}

/**
 * A URL for messages. A refused URL can contain anything, so the parts that could hold a password or a token are left out.
 */
export function showUrl(url: string): string {
  return url.replace(/\/\/.*@/s, '//…@').replace(/\?.*$/s, '?…');
}
