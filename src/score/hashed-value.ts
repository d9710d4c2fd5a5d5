import { createHash } from 'node:crypto';
import type { Database } from '../duckdb/database.ts';

// Hashed, equal values of the quarantine can still be counted without being shown. Without a key they can be guessed: whoever
// has a list of addresses hashes it. The key stands in variables and not in statements, which errors show.

/** SHA-256 takes blocks of so many bytes. */
const BLOCK = 64;

/** Gives the database the key of `hashedValue`. @param key any text; its strength is the secret's */
export async function setHashKey(database: Database, key: string): Promise<void> {
  const bytes = Buffer.from(key);
  const block = Buffer.alloc(BLOCK);
  (bytes.length > BLOCK ? createHash('sha256').update(bytes).digest() : bytes).copy(block);
  const pad = (byte: number) => Buffer.from(block.map((own) => own ^ byte)).toString('hex');
  await database.run('SET VARIABLE hash_inner = unhex($pad)', { pad: pad(0x36) });
  await database.run('SET VARIABLE hash_outer = unhex($pad)', { pad: pad(0x5c) });
}

/**
 * A DuckDB expression for 64 bits that stand for a value's text: of its SHA-256, or, with the key that was set, of its
 * HMAC-SHA256 (https://www.rfc-editor.org/rfc/rfc2104).
 */
export function hashedValue(text: string, keyed: boolean): string {
  if (!keyed) return `'sha256:' || left(sha256(${text}), 16)`;
  const inner = `unhex(sha256(getvariable('hash_inner') || encode(${text})))`;
  return `'hmac:' || left(sha256(getvariable('hash_outer') || ${inner}), 16)`;
}
