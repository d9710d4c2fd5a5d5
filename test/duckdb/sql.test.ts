import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.ts';
import { identifier, literal } from '../../src/duckdb/sql.ts';
import { hostileText } from '../support/hostile-text.ts';

const database = await openDatabase(':memory:', { threads: 1, memory: 500_000_000, temporary: tmpdir() });
afterAll(() => database[Symbol.asyncDispose]());

/** DuckDB refuses a zero byte in a statement, and a name of no length; it runs nothing of it. */
const text = hostileText.map((some) => some.replaceAll('\0', ''));
const name = text.filter((some) => some !== '');

it('DuckDB reads every literal as the text that was quoted, many in one statement', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 50 }), async (texts) => {
      const [row] = await database.rows(`SELECT ${texts.map(literal).join(', ')}`);
      expect(row).toEqual(texts);
    }),
    { numRuns: 200 },
  );
});

it('and every name as the name that was quoted', async () => {
  // DuckDB's names know no case.
  const names = fc.uniqueArray(name, { minLength: 1, maxLength: 50, selector: (some) => some.toLowerCase() });
  await fc.assert(
    fc.asyncProperty(names, async (list) => {
      const columns = list.map((some, i) => `${i} AS ${identifier(some)}`);
      const described = await database.rows(
        `DESCRIBE SELECT ${list.map(identifier).join(', ')} FROM (SELECT ${columns.join(', ')})`,
      );
      expect(described.map(([column]) => column)).toEqual(list);
    }),
    { numRuns: 50 },
  );
});

it('a zero byte ends no text early: the statement is refused', async () => {
  await expect(database.rows(`SELECT ${literal("a\0', drop")}`)).rejects.toThrow();
  await expect(database.rows(`SELECT 1 AS ${identifier('a\0", drop')}`)).rejects.toThrow();
});
