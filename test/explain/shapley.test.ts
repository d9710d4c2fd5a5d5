import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { Signature } from '../../src/domain/signature.ts';
import { createShapley } from '../../src/explain/shapley.ts';
import { readTreeModel, type TreeModel } from '../../src/explain/tree-ensemble.ts';
import { layOut } from '../../src/explain/tree-layout.ts';
import { seededRandom } from '../../src/random.ts';
import { type Forest, forests, modelOf, WIDTH } from '../tensorize/forests.ts';
import { bruteForce, rawOutput } from './brute-force.ts';

function signatureOf(double: boolean, index: number, width = WIDTH): Signature {
  const features = Array.from({ length: width }, (_, i) => ({ name: `c${i}`, nullable: true, unknown: 'quarantine' as const }));
  return {
    inputs: [{ name: 'features', dtype: double ? 'float64' : 'float32', features }],
    output: { name: 'scores', index },
  };
}

/** Values at thresholds, between them, near them, and missing. */
const value = fc.oneof(
  fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 1 / 3, 2 / 3, 4 / 3, -4, Math.fround(1 / 3)),
  fc.double({ min: -5, max: 5, noNaN: true }),
);
const row = fc.array(value, { minLength: WIDTH, maxLength: WIDTH });

function shapley(
  model: TreeModel,
  rows: readonly (readonly number[])[],
  background: readonly (readonly number[])[],
): number[][] {
  const layout = layOut(model);
  if ('why' in layout) throw new Error(layout.why);
  const matrix = (of: readonly (readonly number[])[]) => ({
    values: Float64Array.from(of.flat(), (number) => (model.rounds ? Math.fround(number) : number)),
    rows: of.length,
    width: rows[0]?.length ?? 0,
  });
  const addTree = createShapley(layout, matrix(background));
  const into = new Float64Array(rows.length * (rows[0]?.length ?? 0));
  for (let tree = 0; tree + 1 < layout.trees.length; tree += 1) addTree(tree, matrix(rows), into);
  return rows.map((own, i) => [...into.subarray(i * own.length, (i + 1) * own.length)]);
}

describe('Shapley values', () => {
  it('are those of the definition, for trees of any mode, weights and missing values', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        forests,
        fc.nat(3),
        fc.array(row, { minLength: 1, maxLength: 4 }),
        fc.array(row, { minLength: 1, maxLength: 6 }),
        (forest, index, rows, background) => {
          const model = readTreeModel(modelOf(forest), signatureOf(forest.double, index));
          if ('why' in model) return;
          for (const [i, found] of shapley(model, rows, background).entries()) {
            const wanted = bruteForce((one) => rawOutput(model, one), rows[i] ?? [], background);
            for (const [j, number] of wanted.entries()) expect(found[j]).toBeCloseTo(number, 10);
            compared += 1;
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  it('explain what ONNX Runtime adds up', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(forests, fc.nat(3), fc.array(row, { minLength: 1, maxLength: 8 }), async (forest, index, rows) => {
        const bytes = modelOf(forest);
        const model = readTreeModel(bytes, signatureOf(forest.double, index));
        if ('why' in model || forest.texts.post_transform?.[0] === 'SOFTMAX') return;
        const scores = await scored(bytes, forest, rows, index);
        for (const [i, one] of rows.entries()) {
          const raw = rawOutput(model, one);
          const wanted = model.output === 'margin' ? 1 / (1 + Math.exp(-raw)) : raw;
          // Of two classes with one sum, the first is 1 minus the second.
          const shared =
            model.output === 'probability' && index === 0 && raw <= 0 && forest.integers.classlabels_int64s?.length === 2;
          if (!shared) expect(scores[i]).toBeCloseTo(wanted, 4);
          compared += 1;
        }
      }),
      { numRuns: 300 },
    );
    expect(compared).toBeGreaterThan(300);
  });

  it('are those of the definition with a hundred background rows, which fill all words of a set', () => {
    const random = seededRandom(5);
    const model = bigTree(6, 6, random);
    const rows = (count: number) => Array.from({ length: count }, () => Array.from({ length: 6 }, () => random()));
    const [background, explained] = [rows(100), rows(20)];
    for (const [i, found] of shapley(model, explained, background).entries()) {
      const wanted = bruteForce((one) => rawOutput(model, one), explained[i] ?? [], background);
      for (const [j, number] of wanted.entries()) expect(found[j]).toBeCloseTo(number, 10);
    }
  });

  it('add up to the difference from the background, where paths test more than 32 features', () => {
    const random = seededRandom(6);
    const width = 40;
    const model = chain(width);
    const rows = (count: number) => Array.from({ length: count }, () => Array.from({ length: width }, () => random() * 1.05));
    const [background, explained] = [rows(7), rows(50)];
    const mean = background.reduce((sum, one) => sum + rawOutput(model, one), 0) / background.length;
    for (const [i, found] of shapley(model, explained, background).entries()) {
      const sum = found.reduce((all, number) => all + number, 0);
      expect(sum).toBeCloseTo(rawOutput(model, explained[i] ?? []) - mean, 9);
    }
    // One leaf, which only x reaches, and only if no feature is replaced: all have the same share.
    const all = chain(width, (level) => (level === width ? 1 : 0));
    const equal = shapley(all, [new Array<number>(width).fill(0)], [new Array<number>(width).fill(2)])[0] ?? [];
    for (const number of equal) expect(number).toBeCloseTo(1 / width, 12);
    expect(equal).toHaveLength(width);
  });
});

async function scored(bytes: Buffer, forest: Forest, rows: readonly (readonly number[])[], index: number): Promise<number[]> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  try {
    const [type, values] = forest.double
      ? (['float64', Float64Array.from(rows.flat())] as const)
      : (['float32', Float32Array.from(rows.flat())] as const);
    const { scores } = await session.run({ features: new Tensor(type, values as never, [rows.length, WIDTH]) });
    const width = scores?.dims[1] ?? 1;
    return rows.map((_, i) => Number(scores?.data[i * width + index]));
  } finally {
    await session.release();
  }
}

/** A full tree of random tests and leaves. */
function bigTree(depth: number, width: number, random: () => number): TreeModel {
  return treeOf(
    (level) => (level === depth ? { leaf: random() } : { feature: Math.floor(random() * width), threshold: random() }),
    width,
  );
}

/** Each test has a leaf on one side: node i tests feature i. */
function chain(width: number, leaf = (level: number, side: number) => level * (side === 1 ? 1 : -2)): TreeModel {
  return treeOf(
    (level, side) =>
      level === width || side === 1
        ? { leaf: side === 1 ? leaf(level - 1, 1) : leaf(level, 0) }
        : { feature: level, threshold: 1 },
    width,
  );
}

type Made = { readonly leaf: number } | { readonly feature: number; readonly threshold: number };

function treeOf(make: (level: number, side: number) => Made, width: number): TreeModel {
  const nodes: { readonly made: Made; readonly less: number; readonly greater: number }[] = [];
  const grow = (level: number, side: number): number => {
    const made = make(level, side);
    const at = nodes.push({ made, less: 0, greater: 0 }) - 1;
    const [less, greater] = 'leaf' in made ? [at, at] : [grow(level + 1, 0), grow(level + 1, 1)];
    nodes[at] = { made, less, greater };
    return at;
  };
  grow(0, 0);
  const less = Int32Array.from(nodes, (node) => node.less);
  const greater = Int32Array.from(nodes, (node) => node.greater);
  return {
    nodes: {
      positions: new Map(),
      features: Int32Array.from(nodes, ({ made }) => ('leaf' in made ? 0 : made.feature)),
      thresholds: Float64Array.from(nodes, ({ made }) => ('leaf' in made ? 0 : made.threshold)),
      branches: { less, equal: less, greater, missing: greater },
      trees: [{ root: 0, depth: 0, leaves: [] }],
    },
    values: Float64Array.from(nodes, ({ made }) => ('leaf' in made ? made.leaf : 0)),
    base: 0,
    columns: Array.from({ length: width }, (_, i) => i),
    rounds: false,
    output: 'score',
  };
}
