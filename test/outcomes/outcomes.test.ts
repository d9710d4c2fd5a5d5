import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.ts';
import { createBlock, rejectedOutcome, scoredOutcome } from '../../src/outcomes/format.ts';
import { registerOutcomes } from '../../src/outcomes/functions.ts';
import { openOutcomes } from '../../src/outcomes/reader.ts';
import { temporaryFolder } from '../support/project.ts';

const BATCH_ROWS = 100;

it('finds the outcomes of rows by their ordinals, as scores, rejections and values, in SQL', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'outcomes');
  // 200 blocks, of which the reader keeps fewer; the last one was never written.
  const blocks = Array.from({ length: 200 }, (_, number) => {
    const block = createBlock(BATCH_ROWS);
    const values = new DataView(block.bytes.buffer, BATCH_ROWS * 4);
    for (let row = 0; row < BATCH_ROWS; row += 1) {
      const ordinal = number * BATCH_ROWS + row;
      block.outcomes[row] = ordinal % 10 === 3 ? rejectedOutcome(5) : scoredOutcome(ordinal);
      if (ordinal % 10 === 3) values.setFloat64(8 * row, ordinal / 8, true);
      else values.setBigInt64(8 * row, BigInt(ordinal) << 40n, true);
    }
    return block.bytes;
  });
  await writeFile(file, Buffer.concat(blocks));
  const reader = openOutcomes(file, BATCH_ROWS);
  await using database = await openDatabase(':memory:', { memory: 100_000_000, temporary: folder });
  const f = registerOutcomes(database, reader);
  // In another order than they were written in, with rows behind the end.
  const rows = await database.rows(
    `SELECT i, CAST(${f.score}(i) AS VARCHAR), ${f.rejected}(i), ${f.double}(i), ${f.bits}(i), ${f.outcome}(i), typeof(${f.score}(i))
     FROM (SELECT CAST((range * 7919) % 20100 AS INTEGER) AS i FROM range(20100)) ORDER BY i`,
  );
  reader.close();
  expect(rows.length).toBe(20_100);
  for (const [i, score, rejected, double, bits, outcome, type] of rows) {
    const ordinal = Number(i);
    const expected =
      ordinal >= 20_000
        ? [null, null, 0]
        : ordinal % 10 === 3
          ? [null, 5, -5]
          : [(ordinal / 1_000_000).toFixed(6), 0, ordinal + 1];
    expect([score, rejected, outcome], String(ordinal)).toEqual(expected);
    if (ordinal < 20_000 && ordinal % 10 === 3) expect(double).toBe(ordinal / 8);
    else if (ordinal < 20_000) expect(bits).toBe(BigInt(ordinal) << 40n);
    expect(type).toBe('DECIMAL(7,6)');
  }
});
