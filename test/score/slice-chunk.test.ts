import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repository } from '../support/project.ts';
import { openChunk } from './chunk-subject.ts';

const ROWS = 6000;

/** A key that repeats (4 rows) and parts of it that are null (2 rows), beside the features. */
const users = (features: string) =>
  `SELECT CASE WHEN i = 11 THEN NULL WHEN i IN (4001, 4002, 4003) THEN 4000 ELSE i END AS user_id,
     CASE WHEN i = 12 THEN NULL ELSE TIMESTAMPTZ '1997-03-10 05:00:00.5+00' + INTERVAL (i % 7 % 4001) DAY END AS since,
     'kept ' || i AS kept, ${features} FROM range(${ROWS}) AS numbers(i)`;

const CHURN = users(
  `CASE WHEN i % 101 = 0 THEN NULL ELSE 1 + i % 13 END AS orders, i % 97 AS cds,
   CASE WHEN i % 103 = 0 THEN 99999 ELSE i % 1009 / 7 END AS amount, i % 501 / 3 AS largest_order,
   CASE WHEN i % 5 = 0 THEN NULL ELSE (i % 89 / 11)::DOUBLE END AS price_per_cd, 1 + i % 7 AS order_days,
   1 + i % 5 AS days_since_first, 1 + i % 3 AS days_since_last`,
);

const TEXTS = users(
  `CASE i % 50 WHEN 0 THEN 'gold' WHEN 1 THEN NULL ELSE ['free', 'pro'][1 + i % 2] END AS plan, i % 1013 AS logins`,
);

const fixture = (name: string) => repository('test', 'fixtures', 'models', name);

describe.each<[string, string, string]>([
  ['the churn model', repository('models', 'churn'), CHURN],
  ['a model that takes texts', fixture('strings'), TEXTS],
  ['a model of a fixed batch size', fixture('fixed-eight'), users(`i % 1009 / 10.0 AS a, nullif(i % 13, 3) / 10.0 AS b`)],
])('%s in a slice', (_, bundle, select) => {
  it('gives each row the score of a run that scores them all, whatever is known from before', async () => {
    const subject = await openChunk(bundle, select);
    const batch = await subject.score({ batchRows: 2500, slice: undefined });
    expect(batch).toMatchObject({ skipKeys: undefined, unchanged: undefined, sent: ROWS });
    const first = await subject.score({ batchRows: 2500, slice: { earlier: undefined } });
    expect(first.rows).toEqual(batch.rows);
    expect(first.unchanged).toBe(0);
    const isScored = first.rows.map((row) => (row as unknown[])[3] !== null);
    expect(first.skipKeys?.map((key) => key !== null)).toEqual(isScored);
    const scored = isScored.filter(Boolean).length;
    expect(scored).toBeGreaterThan(ROWS / 2);
    expect(scored).toBeLessThan(ROWS);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 7, 500, 2048, 100_000),
        fc.integer({ min: 0, max: 10 }),
        async (batchRows, tenths) => {
          const earlier = await subject.earlier(first, `hash(key_0, ${batchRows}) % 10 < ${tenths}`);
          const slice = await subject.score({ batchRows, slice: { earlier } });
          expect(slice.rows).toEqual(batch.rows);
          expect(slice.skipKeys).toEqual(first.skipKeys);
          // Rows that the encoder rejects are not sent either; those of a null or repeated key are.
          expect(slice.sent).toBe(first.sent - (slice.unchanged ?? 0));
          expect((slice.unchanged ?? 0) / scored).toBeCloseTo(tenths / 10, 1);
        },
      ),
      {
        numRuns: 6,
        examples: [
          [2048, 0],
          [500, 10],
        ],
      },
    );
  });

  it('keeps the earlier score of a row, and of no row that has another skip key now', async () => {
    const subject = await openChunk(bundle, select);
    const first = await subject.score({ batchRows: 2048, slice: { earlier: undefined } });
    const earlier = await subject.earlier(first, 'true', {
      score: '0.123456',
      // The upper half differs, or the lower one.
      skipKey: 'CASE WHEN key_0 % 3 = 0 THEN skip_key ELSE xor(skip_key, CASE key_0 % 3 WHEN 1 THEN 1 ELSE 4294967296 END) END',
    });
    const slice = await subject.score({ batchRows: 2048, slice: { earlier } });
    const expected = (first.rows as (string | bigint | null)[][]).map((row) =>
      row[3] !== null && BigInt(row[0] ?? 1) % 3n === 0n ? row.with(3, '0.123456') : row,
    );
    expect(new Set(slice.rows.map((row) => String(row)))).toEqual(new Set(expected.map(String)));
    expect(slice.unchanged).toBe(expected.filter((row) => row[3] === '0.123456').length);
    expect(slice.unchanged).toBeGreaterThan(ROWS / 4);
  });
});
