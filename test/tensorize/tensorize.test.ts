import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseModel, serializeModel } from '../../src/onnx/model.ts';
import { openSession, type Session } from '../../src/runtime/session.ts';
import { tensorize } from '../../src/tensorize/tensorize.ts';
import { temporaryFolder } from '../support/project.ts';
import { type Forest, forests, modelOf, WIDTH } from './forests.ts';

// Thresholds are thirds and whole numbers from -4 to 4.
const VALUES = fc.oneof(
  fc.integer({ min: -12, max: 12 }).map((third) => third / 3),
  fc.constantFrom(Number.NaN, 0, -0, 1e30, -1e30),
  fc.double({ min: -5, max: 5, noNaN: true }),
);

it('any trees give what ONNX Runtime makes of them, at thresholds, NaN and zeros of both signs', async () => {
  const folder = await temporaryFolder();
  const rows = fc.array(fc.array(VALUES, { minLength: WIDTH, maxLength: WIDTH }), { minLength: 1, maxLength: 60 });
  const property = fc.asyncProperty(forests, rows, async (forest, values) => {
    const bytes = modelOf(forest);
    const { model, ensembles } = tensorize(parseModel(bytes), 'scores');
    const original = await scores(path.join(folder, 'original.onnx'), bytes, forest, values);
    const made = await scores(path.join(folder, 'made.onnx'), serializeModel(model), forest, values);
    expect(made.width).toBe(original.width);
    // Sums of at most seven weights below 2, and a base value.
    for (const [i, value] of original.values.entries()) {
      expect(Math.abs((made.values[i] ?? Number.NaN) - value), `value ${i}`).toBeLessThan(2e-6);
    }
    expect(ensembles).toHaveLength(1);
  });
  await fc.assert(property, { numRuns: Number(process.env.SCORE_BATCH_TEST_FORESTS ?? 300) });
});

async function scores(file: string, bytes: Buffer, { double }: Forest, rows: readonly (readonly number[])[]) {
  await writeFile(file, bytes);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const session: Session = await openSession({ file, digest }, { providers: ['cpu'], requireGpu: false });
  const dtype = double ? ('float64' as const) : ('float32' as const);
  const values = double ? Float64Array.from(rows.flat()) : Float32Array.from(rows.flat());
  const result = await session.run([{ name: 'features', dtype, values, shape: [rows.length, WIDTH] }], {
    name: 'scores',
    index: 0,
  });
  await session.close();
  return result;
}
