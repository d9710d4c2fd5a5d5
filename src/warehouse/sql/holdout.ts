import type { Column } from '../../domain/schema.ts';
import type { Dialect } from '../dialect.ts';
import { keyHash } from './dialect.ts';

const MILLION = 1_000_000;

/**
 * Condition: the user is held out from contact. Depends on the key alone, so a user is held out in every window or in none.
 * Uses a separate hash, because chunks are formed by the hash of the key.
 *
 * @param key columns as named in the relation
 * @param share share of users to hold out, 0 to 1
 */
export function isHeldOut(dialect: Dialect, key: readonly Column[], share: number): string {
  const text = `concat(${dialect.literal('holdout ')}, ${dialect.text(keyHash(dialect, key), { type: 'integer' })})`;
  return `MOD(${dialect.hash(text)}, ${MILLION}) < ${Math.round(share * MILLION)}`;
}
