import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IRIS, served } from '../served.ts';
import { post } from './request.ts';

const NAMES = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'] as const;

// In range, at its ends, outside, not a float32, and zeros of both signs.
const size = fc.oneof(
  fc.double({ min: 0.1, max: 10, noNaN: true }),
  fc.constantFrom(0.1, 20, 20.000000000000004, 0.09999999999999999, 0, -0, -1, 3e38, 1e300),
);
const flowers = fc.array(fc.tuple(size, size, size, size), { minLength: 1, maxLength: 9 });

it('gives the bits of the Open Inference Protocol, and rejects the same rows for the same reasons', async () => {
  const serving = await served([IRIS]);
  let rejected = 0;
  let scored = 0;
  await fc.assert(
    fc.asyncProperty(flowers, async (rows) => {
      const objects = rows.map((row) => Object.fromEntries(NAMES.map((name, i) => [name, row[i]])));
      const inputs = NAMES.map((name, i) => ({
        name,
        datatype: 'FP64',
        shape: [rows.length],
        data: rows.map((row) => row[i]),
      }));
      const [ours, theirs] = await Promise.all([
        post(serving, '/v1/models/iris/predict', { rows: objects }),
        post(serving, '/v2/models/iris/infer', { inputs }),
      ]);
      const output = (name: string) => theirs.json.outputs.find((one: { name: string }) => one.name === name).data;
      const [labels, probabilities, reasons] = ['label', 'probabilities', 'rejected'].map(output);
      for (const [row, prediction] of ours.json.predictions.entries()) {
        if (prediction.rejected === undefined) {
          scored += 1;
          expect([prediction.label, ...(Object.values(prediction.probabilities) as number[])]).toEqual([
            labels[row],
            ...probabilities.slice(3 * row, 3 * row + 3),
          ]);
          expect(reasons[row]).toBe('');
        } else {
          rejected += 1;
          expect(`${prediction.rejected.reason}: ${prediction.rejected.feature}`).toBe(reasons[row]);
        }
      }
      expect(ours.json.predictions).toHaveLength(rows.length);
    }),
    { numRuns: 100 },
  );
  // Both come up; how often is chance.
  expect(Math.min(rejected, scored)).toBeGreaterThan(10);
});
