import type { KeyHash } from '../../domain/checksum.ts';
import type { Column } from '../../domain/schema.ts';
import { BUILT_IN, identifier } from '../../duckdb/sql.ts';
import { keyHash } from '../sql/dialect.ts';
import { DUCKDB } from './dialect.ts';

/**
 * A 60-bit hash of a row's key, as an integer. DuckDB's own hash costs a twentieth of MD5 over the canonical text. Another
 * version of DuckDB may compute a different one, so `freeze.ts` compares before a run is resumed.
 *
 * @param key the key's columns as named in the relation
 */
export function hashOfKey(hash: KeyHash, key: readonly Column[]): string {
  if (hash === 'md5') return keyHash(DUCKDB, key);
  // The hash of 0 alone is 0, which would not change a checksum.
  return `CAST(${BUILT_IN}hash(${[...key.map(({ name }) => identifier(name)), '1'].join(', ')}) >> 4 AS BIGINT)`;
}
