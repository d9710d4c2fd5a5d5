import { expect, it } from 'vitest';
import { jsonNumber, parseJson } from '../../src/serve/json.ts';

const SMALL = { maxRows: 500, kinds: ['float64', 'float64'] } as const;
const LARGE = { maxRows: 200_000, kinds: ['float64', 'float64'] } as const;

function parse(text: string, model: typeof SMALL | typeof LARGE = SMALL): unknown {
  return parseJson(Buffer.from(text), { model, insteadOfNaN: 'send null', hint: 'send JSON' });
}

const SIZE = 8 * 2 ** 20;

it('refuses more lists, objects and keys than the rows of a model have, before it parses them', () => {
  const refused = (what: RegExp) => expect.objectContaining({ kind: 'too large', message: expect.stringMatching(what) });
  const keys = `{${Array.from({ length: 600_000 }, (_, i) => `"k${i}":1`).join()}}`;
  const texts: [string, RegExp][] = [
    ['['.repeat(SIZE), /^the JSON has more than 131072 lists and objects$/],
    ['{'.repeat(SIZE), /^the JSON has more than 131072 lists and objects$/],
    [`[${'[],'.repeat(SIZE / 3)}[]]`, /^the JSON has more than 131072 lists and objects$/],
    ['{"a":'.repeat(131_073), /^the JSON has more than 131072 lists and objects$/],
    [keys, /^the JSON has more than 131072 keys$/],
  ];
  for (const [text, what] of texts) expect(() => parse(text)).toThrow(refused(what));
  expect(() => parse(keys)).toThrow(expect.objectContaining({ hint: 'send at most 500 rows in a request' }));
  const rows = JSON.stringify({ rows: Array.from({ length: 200_000 }, () => ({ a: 1, b: 2 })) });
  expect(() => parse(rows)).toThrow(refused(/lists and objects/));
  expect(parse(rows, LARGE)).toEqual(JSON.parse(rows));
  expect(() => parse(`{"a":1,${rows.slice(1)}`, LARGE)).toThrow(refused(/^the JSON has more than 400001 keys$/));
});

it('counts nothing inside texts', () => {
  const value = { 'a:[{': `${'[{:'.repeat(200_000)}"\\`, b: '\\"' };
  expect(parse(JSON.stringify(value))).toEqual(value);
  // A text without an end, and one that ends with a backslash.
  expect(() => parse(`["${'['.repeat(200_000)}`)).toThrow('the body is not JSON');
  expect(() => parse(`["${'['.repeat(200_000)}\\`)).toThrow('the body is not JSON');
});

it('says what JSON does not have, and quotes nothing', () => {
  const failure = (text: string) => {
    try {
      return parse(text);
    } catch (error) {
      return error;
    }
  };
  expect(failure('{"a": NaN}')).toMatchObject({ kind: 'invalid', hint: 'JSON has no NaN; send null' });
  expect(failure('[1,-Infinity]')).toMatchObject({ hint: 'JSON has no Infinity; send null' });
  expect(failure('secret')).toMatchObject({ kind: 'invalid', message: 'the body is not JSON', hint: 'send JSON' });
  expect(() => parseJson(Buffer.from('"\xff"', 'latin1'), { model: SMALL, insteadOfNaN: '' })).toThrow('the JSON is not UTF-8');
});

it('writes numbers whose bits come back', () => {
  for (const value of [0, -0, 5e-324, -1e300, 0.1, Math.fround(0.1), 2 ** 60])
    expect(JSON.parse(jsonNumber(value))).toBe(value);
  for (const value of [Number.NaN, Infinity, -Infinity]) expect(jsonNumber(value)).toBe('null');
});
