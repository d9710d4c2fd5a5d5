import { tmpdir } from 'node:os';
import { afterAll, expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.ts';
import { renderRanges } from '../../src/duckdb/render.ts';

const database = await openDatabase(':memory:', { memory: 500_000_000, temporary: tmpdir() });
afterAll(() => database[Symbol.asyncDispose]());

const ROWS = 300_000;
const LINE = 'CAST(rank AS VARCHAR) || chr(10)';

/** @param ranks a query whose column `rank` is what is there; the number of rows is said to be ROWS */
async function render(ranks: string): Promise<{ complete: boolean[]; text: string }> {
  const complete: boolean[] = [];
  let text = '';
  for await (const range of renderRanges(database, { from: `(${ranks})` }, { lines: [LINE, LINE], rows: ROWS })) {
    complete.push(range.complete);
    const [lines = new Uint8Array(), same] = range.lines;
    expect(Buffer.compare(lines, same ?? new Uint8Array())).toBe(0);
    text += Buffer.from(lines).toString();
  }
  return { complete, text };
}

it('renders every row once, in the order of ranks, whatever their order in the table', async () => {
  const { complete, text } = await render(`SELECT 1 + range * 7 % ${ROWS} AS rank FROM range(${ROWS})`);
  expect(complete).toEqual([true, true, true]);
  expect(text).toBe(Array.from({ length: ROWS }, (_, i) => `${i + 1}\n`).join(''));
});

it.each([
  ['a rank is missing', `SELECT 1 + range AS rank FROM range(${ROWS}) WHERE range <> 200000`, [true, false, true]],
  [
    'one stands for another',
    `SELECT 1 + CASE range WHEN 7 THEN 8 ELSE range END AS rank FROM range(${ROWS})`,
    [false, true, true],
  ],
  ['one is there twice', `SELECT 1 + range AS rank FROM range(${ROWS}) UNION ALL SELECT ${ROWS}`, [true, true, false]],
  ['a whole range is missing', `SELECT 1 + range AS rank FROM range(122880)`, [true, false, false]],
])('says which range is not complete where %s', async (_, ranks, complete) => {
  expect((await render(ranks)).complete).toEqual(complete);
});
