import { createHash, createHmac } from 'node:crypto';
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.ts';
import { hashedValue, setHashKey } from '../../src/score/hashed-value.ts';

it('is the SHA-256 or, with a key, the HMAC of the value that everybody else computes', async () => {
  await using database = await openDatabase(':memory:', { memory: 1e8, temporary: tmpdir() });
  const hashed = async (text: string, keyed: boolean) =>
    (await database.rows(`SELECT ${hashedValue('CAST($text AS VARCHAR)', keyed)}`, { text }))[0]?.[0];
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.string({ minLength: 1, maxLength: 200 }), async (text, key) => {
      await setHashKey(database, key);
      // DuckDB's client ends a text where C does.
      fc.pre(!text.includes('\0'));
      expect(await hashed(text, false)).toBe(`sha256:${createHash('sha256').update(text).digest('hex').slice(0, 16)}`);
      expect(await hashed(text, true)).toBe(`hmac:${createHmac('sha256', key).update(text).digest('hex').slice(0, 16)}`);
    }),
    { numRuns: 50 },
  );
});
