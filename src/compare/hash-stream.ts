import type { ReadableRows } from './outcomes.ts';
import { hashOf } from './scored-rows.ts';

/** Number of values of key hashes; see `Dialect.hash`. */
const HASHES = 2n ** 60n;

/** A user in a stream. */
export interface StreamedUser {
  /** Hash of the key as a string of 19 digits, so that strings sort like numbers. */
  readonly hash: string;
  readonly millionths: number;
  readonly band: string;
}

/**
 * The rows of a side in the order of the key's hash, which every warehouse computes the same way, one range of hashes at a
 * time.
 *
 * @param rowsAtOnce approximate number of rows to hold
 */
export async function* inHashOrder({ read, rows, users }: ReadableRows, rowsAtOnce: number): AsyncGenerator<StreamedUser> {
  const ranges = Math.max(1, Math.ceil(users / rowsAtOnce));
  for (let i = 0; i < ranges; i += 1) {
    const [from, to] = [(HASHES * BigInt(i)) / BigInt(ranges), (HASHES * BigInt(i + 1)) / BigInt(ranges)];
    const found = await read(async ({ dialect, rows: select }) => {
      const text = (name: string) => `CAST(${name} AS ${dialect.type({ type: 'string' })})`;
      return await select(
        `SELECT ${text('key_hash')} AS text_hash, ${text('millionths')} AS text_score, band
         FROM (SELECT ${hashOf(dialect, rows)} AS key_hash, millionths, band FROM (${rows.select}) side_rows) hashed
         WHERE key_hash >= ${from} AND key_hash < ${to} ORDER BY key_hash`,
      );
    });
    for (const [hash, millionths, band] of found)
      yield { hash: String(hash).padStart(19, '0'), millionths: Number(millionths), band: String(band) };
  }
}

/** The canonical strings of keys, by their hashes. */
export async function keysOf({ read, rows }: ReadableRows, hashes: readonly string[]): Promise<Map<string, string[]>> {
  if (hashes.length === 0) return new Map();
  const found = await read(async ({ dialect, rows: select }) => {
    const texts = rows.key.map((column, i) => `${dialect.text(`key_${i}`, column)} AS text_${i}`);
    const list = hashes.map((hash) => BigInt(hash)).join(', ');
    return await select(
      `SELECT CAST(key_hash AS ${dialect.type({ type: 'string' })}) AS text_hash, ${texts.join(', ')}
       FROM (SELECT ${hashOf(dialect, rows)} AS key_hash, ${rows.key.map((_, i) => `key_${i}`).join(', ')}
         FROM (${rows.select}) side_rows) hashed WHERE key_hash IN (${list})`,
    );
  });
  return new Map(found.map(([hash, ...texts]) => [String(hash).padStart(19, '0'), texts.map(String)]));
}
