import { expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.ts';
import { registerFunction } from '../../src/duckdb/function.ts';
import { temporaryFolder } from '../support/project.ts';

async function open() {
  return await openDatabase(':memory:', { memory: 100_000_000, temporary: await temporaryFolder(), threads: 2 });
}

it('returns what the function wrote, nulls and all, in vectors of every size', async () => {
  await using database = await open();
  registerFunction(database, { name: 'twice', parameters: ['DOUBLE'], returns: 'DOUBLE' }, (rows, [input], result) => {
    const values = new Float64Array((input?.bytes.buffer ?? new ArrayBuffer()) as ArrayBuffer, input?.bytes.byteOffset, rows);
    const doubled = new Float64Array(result.bytes.buffer as ArrayBuffer);
    result.valid.fill(255);
    for (let row = 0; row < rows; row += 1) {
      doubled[row] = 2 * (values[row] as number);
      if ((values[row] as number) % 7 !== 0) continue;
      result.nulls = true;
      result.valid[row >> 3] = (result.valid[row >> 3] as number) & ~(1 << (row & 7));
    }
  });
  const [row] = await database.rows(
    'SELECT count(*), count(v), count(*) FILTER (v <> 2 * i), count(*) FILTER (v IS NULL AND i % 7 <> 0) FROM (SELECT i, twice(i) AS v FROM range(100000) t(i) WHERE i % 3 <> 1)',
  );
  expect(row?.map(Number)).toEqual([66_667, 66_667 - 9_524, 0, 0]);
});

it('is called once for each row: its calls are not folded, shared or left out where they are asked for', async () => {
  await using database = await open();
  let called = 0;
  registerFunction(database, { name: 'counted', parameters: ['INTEGER'], returns: 'INTEGER' }, (rows, _, result) => {
    const values = new Int32Array(result.bytes.buffer as ArrayBuffer);
    for (let row = 0; row < rows; row += 1) values[row] = called + row;
    called += rows;
  });
  const [row] = await database.rows(
    'SELECT count(DISTINCT a), count(DISTINCT b), count(DISTINCT c) FROM (SELECT counted(1) AS a, counted(1) AS b, counted(CAST(i AS INTEGER)) AS c FROM range(5000) t(i))',
  );
  expect(row?.map(Number)).toEqual([5000, 5000, 5000]);
  expect(called).toBe(15_000);
});

it('ends the statement with what it threw, and nothing else', async () => {
  await using database = await open();
  registerFunction(database, { name: 'falling', parameters: ['INTEGER'], returns: 'INTEGER' }, () => {
    throw new Error('it fell over');
  });
  await expect(database.rows('SELECT falling(CAST(i AS INTEGER)) FROM range(100000) t(i)')).rejects.toThrow('it fell over');
  expect(await database.rows('SELECT 42')).toEqual([[42]]);
});
