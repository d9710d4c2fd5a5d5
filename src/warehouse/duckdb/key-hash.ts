import type { KeyHash } from '../../domain/checksum.ts';
import type { Column } from '../../domain/schema.ts';
import { BUILT_IN, identifier } from '../../duckdb/sql.ts';
import { keyHash } from '../sql/dialect.ts';
import { DUCKDB } from './dialect.ts';

/**
 * 60 bits of a row's key as a whole number. DuckDB's own hash costs a twentieth of MD5 over the canonical text; another version
 * of DuckDB may compute another one, which `freeze.ts` looks for before a run is gone on with.
 *
 * @param key the key's columns, by the names that they have where this is used
 */
export function hashOfKey(hash: KeyHash, key: readonly Column[]): string {
  if (hash === 'md5') return keyHash(DUCKDB, key);
  // By itself the number 0 has the hash 0, and would leave a checksum as it was.
  return `CAST(${BUILT_IN}hash(${[...key.map(({ name }) => identifier(name)), '1'].join(', ')}) >> 4 AS BIGINT)`;
}
