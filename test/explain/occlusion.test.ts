import { describe, expect, it } from 'vitest';
import { occlusion } from '../../src/explain/occlusion.ts';
import { seededRandom } from '../../src/random.ts';
import type { InputTensor } from '../../src/runtime/session.ts';

const PLANS = ['free', 'pro', ''];

function tensors(rows: number, random: () => number): InputTensor[] {
  const numbers = Float32Array.from({ length: rows * 2 }, () => (random() < 0.1 ? Number.NaN : Math.round(random() * 6)));
  const plans = Array.from({ length: rows }, () => PLANS[Math.floor(random() * 3)] ?? '');
  const logins = BigInt64Array.from({ length: rows }, () => BigInt(Math.floor(random() * 4)));
  return [
    { name: 'numbers', dtype: 'float32', values: numbers, shape: [rows, 2] },
    { name: 'plan', dtype: 'string', values: plans, shape: [rows, 1] },
    { name: 'logins', dtype: 'int64', values: logins, shape: [rows, 1] },
  ];
}

type Row = readonly [a: number, b: number, plan: string, logins: bigint];

function rowOf([numbers, plan, logins]: readonly InputTensor[], row: number): Row {
  return [
    Number(numbers?.values[2 * row]),
    Number(numbers?.values[2 * row + 1]),
    String(plan?.values[row]),
    BigInt(logins?.values[row] ?? 0),
  ];
}

/** Features that interact, so that a wrong column or row shows. */
function scoreOf([a, b, plan, logins]: Row): number {
  const number = Number.isNaN(a) ? -1 : a;
  return number * (Number.isNaN(b) ? 0.5 : b) + plan.length * Number(logins) + (plan === 'pro' ? number : 0);
}

describe('occlusion', () => {
  it('is the mean difference from the scores with the value of each baseline row, with texts, integers and missing values', async () => {
    const random = seededRandom(3);
    const [background, inputs] = [tensors(60, random), tensors(40, random)];
    const sizes: number[] = [];
    const score = async (batch: readonly InputTensor[]) => {
      const rows = batch[0]?.shape[0] ?? 0;
      sizes.push(rows);
      return Array.from({ length: rows }, (_, row) => scoreOf(rowOf(batch, row)));
    };
    const found = await occlusion({ score, background, inputs, rows: 40 });
    const others = Array.from({ length: 60 }, (_, row) => rowOf(background, row));
    for (let row = 0; row < 40; row += 1) {
      const own = rowOf(inputs, row);
      for (let j = 0; j < 4; j += 1) {
        const differences = others.map((other) => scoreOf(own) - scoreOf(own.with(j, other[j] ?? '') as unknown as Row));
        expect(found[row * 4 + j]).toBeCloseTo(differences.reduce((sum, one) => sum + one, 0) / 60, 9);
      }
    }
    // Values that repeat are scored once: there are 24 or fewer per row, not 4 times 60.
    expect(sizes.reduce((sum, rows) => sum + rows, 0)).toBeLessThanOrEqual(40 + 40 * 24);
  });

  it('is 0 for a feature that only the rounding of a batch seems to move', async () => {
    const column = (...values: number[]): InputTensor[] => [
      { name: 'x', dtype: 'float64', values: Float64Array.from(values), shape: [values.length, 1] },
    ];
    // Another batch, another last digit of a float32.
    let calls = 0;
    const score = async (batch: readonly InputTensor[]) => {
      calls += 1;
      return Array.from({ length: batch[0]?.shape[0] ?? 0 }, () => 0.5 - calls * 6e-8);
    };
    expect([...(await occlusion({ score, background: column(1, 2), inputs: column(3), rows: 1 }))]).toEqual([0]);
    expect(calls).toBe(2);
  });

  it('scores in batches of at most 2048 rows, whatever the number of rows', async () => {
    const random = seededRandom(4);
    const column = (rows: number): InputTensor[] => [
      { name: 'x', dtype: 'float64', values: Float64Array.from({ length: rows }, random), shape: [rows, 1] },
    ];
    let most = 0;
    const score = async (batch: readonly InputTensor[]) => {
      const [{ values } = { values: new Float64Array(0) }] = batch as readonly { readonly values: Float64Array }[];
      if (values.length !== 500) most = Math.max(most, values.length);
      return values.map((value) => 3 * value);
    };
    const [background, inputs] = [column(100), column(500)];
    const found = await occlusion({ score, background, inputs, rows: 500 });
    const mean =
      Array.from({ length: 100 }, (_, row) => Number(background[0]?.values[row])).reduce((sum, value) => sum + value, 0) / 100;
    for (const [row, value] of found.entries()) {
      expect(value).toBeCloseTo(3 * (Number(inputs[0]?.values[row]) - mean), 9);
    }
    expect(most).toBe(2048);
  });
});
