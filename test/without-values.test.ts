import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { firstLines } from '../src/duckdb/errors.ts';
import { bugWithoutValues, withoutValues } from '../src/without-values.ts';

/** What DuckDB itself says, of a value that must not be repeated. */
async function said(sql: string): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run(`create table rows as select 'jo''s "secret"\n@example.com' as text, 4815162342 as number`);
    await connection.run('create table emails (email varchar primary key)');
    await connection.run('insert into emails select text from rows');
    return await connection.runAndReadAll(sql).then(
      () => 'no error',
      (error: Error) => firstLines(error.message),
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

it('what DuckDB quotes of a row goes, and what was wrong and where stays', async () => {
  const statements = [
    'select text::integer from rows',
    'select text::date from rows',
    'select text::integer[] from rows',
    'select number::integer from rows',
    'select number::decimal(3, 1) from rows',
    'select number * number * number from rows',
    "select strptime(text, '%Y') from rows",
    'select text::json from rows',
    'insert into emails select text from rows',
  ];
  const texts: string[] = [];
  for (const sql of statements) texts.push(await said(sql));
  expect(texts.join('\n')).toMatchInlineSnapshot(`
    "Conversion Error: Could not convert string '…' to INT32 when casting from source column text
    LINE 1: select text::integer from rows
                       ^
    Conversion Error: invalid date field format: "…", expected format is (YYYY-MM-DD) when casting from source column text
    LINE 1: select text::date from rows
                       ^
    Conversion Error: Type VARCHAR with value '…' cannot be cast to the destination type INTEGER[] when casting from source column text
    LINE 1: select text::integer[] from rows
                       ^
    Conversion Error: Type INT64 with value … cannot be cast because the value is out of range for the destination type INT32 when casting from source column number
    LINE 1: select number::integer from rows
                         ^
    Conversion Error: Could not cast value … to DECIMAL(…) when casting from source column number
    LINE 1: select number::decimal(3, 1) from rows
                         ^
    Out of Range Error: Overflow in multiplication of INT64 (… * …)!
    Invalid Input Error: Could not parse string "…"
    Conversion Error: Malformed JSON at byte … of input: unexpected character.  Input: "…" when casting from source column text
    LINE 1: select text::json from rows
                       ^
    Constraint Error: Duplicate key "…" violates primary key constraint."
  `);
  expect(texts.join('\n')).not.toMatch(/secret|example\.com|4815162342/);
});

it('what is wrong with a statement is said whole', async () => {
  expect(await said('select secret from rows')).toContain('"secret" not found');
  expect(await said('select * from secret')).toContain('Table with name secret does not exist');
});

it.each([
  ["Numeric value 'jo@example.com' is not recognized", "Numeric value '…' is not recognized"],
  ["Date 'it's jo' is not recognized\nof 'jo'", "Date '…'"],
  [
    'Number out of representable range: type FIXED[SB4](9,0){nullable}, value 4815162342',
    'Number out of representable range: type FIXED[SB4](…){nullable}, value …',
  ],
  ['overflow: -4,815.16e+23 + 1', 'overflow: … + …'],
])('%s', (message, shown) => {
  expect(withoutValues(message)).toBe(shown);
});

it('no quoted text stays, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom("'", '"'), (value, quote) => {
      const message = `Could not convert string ${quote}${value}${quote} to INT32\n\nLINE 1: select 'x'\n   ^`;
      return withoutValues(message) === `Could not convert string ${quote}…${quote} to INT32\n\nLINE 1: select 'x'\n   ^`;
    }),
  );
});

it('takes no longer for a value that was made to take long', () => {
  for (const part of ['\n', ' ', "'", '"', '\nLINE 1: ', '1', '-1.', '1e', '\n    at ']) {
    expect(withoutValues(`Could not convert string '${part.repeat(500_000)}' to INT32`)).toContain('Could not convert string');
  }
});

it('a bug keeps its stack', () => {
  const bug = bugWithoutValues(new TypeError("no 'jo'\n    at jo (secret.ts)"));
  expect(bug.message).toBe("no '…'\n".trim());
  expect(bug.stack).toMatch(/^TypeError: no '…'\n {4}at /);
});
