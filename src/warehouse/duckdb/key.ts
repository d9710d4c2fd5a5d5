import { identifier } from '../../duckdb/sql.ts';

/**
 * The first 60 bits of the MD5 of a row's canonical key text, which every warehouse can compute: the text of a single key,
 * or the parts of a composite one each after its length, so that ('a', 'bc') and ('ab', 'c') differ.
 *
 * @param columns names of the key's columns, not yet quoted
 */
export function keyHash(columns: readonly string[]): string {
  const parts = columns.map((name) => `CAST(${identifier(name)} AS VARCHAR)`);
  const text =
    parts.length === 1
      ? `coalesce(${parts[0]}, chr(0))`
      : `concat(${parts.map((part) => `coalesce(length(${part}) || ':' || ${part}, '~')`).join(', ')})`;
  return `CAST('0x' || substr(md5(${text}), 1, 15) AS BIGINT)`;
}

/** Order of keys: each part's text in UTF-8 binary order, which is how DuckDB compares text. */
export function keyOrder(columns: readonly string[]): string {
  return columns.map((name) => `CAST(${identifier(name)} AS VARCHAR)`).join(', ');
}
