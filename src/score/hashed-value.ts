import { createHash } from 'node:crypto';
import type { Database } from '../duckdb/database.ts';

// Hashing hides quarantined values, but equal values can still be counted. Without a key they can be guessed, for example by
// hashing a list of addresses. The key is passed in variables, because errors show the text of statements.

/** Block size of SHA-256, in bytes. */
const BLOCK = 64;

/** Sets the key for `hashedValue` in a database. @param key any string; hashes are only as strong as this secret */
export async function setHashKey(database: Database, key: string): Promise<void> {
  const bytes = Buffer.from(key);
  const block = Buffer.alloc(BLOCK);
  (bytes.length > BLOCK ? createHash('sha256').update(bytes).digest() : bytes).copy(block);
  const pad = (byte: number) => Buffer.from(block.map((own) => own ^ byte)).toString('hex');
  await database.run('SET VARIABLE hash_inner = unhex($pad)', { pad: pad(0x36) });
  await database.run('SET VARIABLE hash_outer = unhex($pad)', { pad: pad(0x5c) });
}

/**
 * A DuckDB expression for the first 64 bits of a string's SHA-256 or, with the key of `setHashKey`, its HMAC-SHA256
 * (https://www.rfc-editor.org/rfc/rfc2104).
 */
export function hashedValue(text: string, keyed: boolean): string {
  if (!keyed) return `'sha256:' || left(sha256(${text}), 16)`;
  const inner = `unhex(sha256(getvariable('hash_inner') || encode(${text})))`;
  return `'hmac:' || left(sha256(getvariable('hash_outer') || ${inner}), 16)`;
}
