// Cost of reasons: rows per second of Shapley values on bench/lgbm and of occlusion on bench/mlp, with 20 features and 100
// baseline rows; and Shapley values on ensembles of other sizes, in nanoseconds per row, tree and baseline row. All on one
// core, in processor time, which other load affects less than wall time.
//
//   npm run bench:explain -- --rows 10000

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../scripts/root.ts';
import type { Baseline } from '../src/explain/baseline.ts';
import { createExplainer } from '../src/explain/explainer.ts';
import { createShapley } from '../src/explain/shapley.ts';
import { readTreeModel, type TreeModel } from '../src/explain/tree-ensemble.ts';
import { layOut } from '../src/explain/tree-layout.ts';
import { loadBundle } from '../src/model/bundle.ts';
import { randomInputs } from '../src/model/random-rows.ts';
import { seededRandom } from '../src/random.ts';
import { openSession } from '../src/runtime/session.ts';

const { values: flags } = parseArgs({ options: { rows: { type: 'string', default: '10000' } } });
const ROWS = Number(flags.rows);
const BASELINE = 100;
const random = seededRandom(1);

process.stdout.write('| model | method | rows | CPU s | rows/s |\n| :-- | :-- | --: | --: | --: |\n');
for (const name of ['lgbm', 'mlp']) {
  const bundle = await loadBundle(path.join(ROOT, 'bench', name));
  const session = await openSession(bundle, { providers: ['cpu'], requireGpu: false });
  const inputs = randomInputs(bundle.signature, BASELINE, random);
  const baseline: Baseline = { file: '', digest: '', rows: BASELINE, inputs, cells: [] };
  const explainer = await createExplainer(bundle, baseline, session);
  // Occlusion scores each row some 2,000 times.
  const rows = explainer.method === 'occlusion' ? Math.ceil(ROWS / 10) : ROWS;
  const explained = randomInputs(bundle.signature, rows, random);
  const start = process.cpuUsage();
  await explainer.explain(explained, rows);
  const seconds = secondsSince(start);
  process.stdout.write(`| ${name} | ${explainer.method} | ${rows} | ${seconds.toFixed(2)} | ${Math.round(rows / seconds)} |\n`);
  await session.close();
}

process.stdout.write(
  '\n| trees | leaves | features | rows | CPU s | ns per row, tree and baseline row |\n| --: | --: | --: | --: | --: | --: |\n',
);
for (const [trees, depth, width, rows] of [
  [100, 5, 20, ROWS],
  [500, 5, 20, ROWS],
  [100, 8, 20, ROWS],
  [100, 11, 40, Math.ceil(ROWS / 100)],
] as const) {
  const layout = layOut(fullTrees(trees, depth, width));
  if ('why' in layout) throw new Error(layout.why);
  const matrix = (count: number) => ({ values: Float64Array.from({ length: count * width }, random), rows: count, width });
  const addTree = createShapley(layout, matrix(BASELINE));
  const explained = matrix(rows);
  const start = process.cpuUsage();
  const into = new Float64Array(rows * width);
  for (let tree = 0; tree < trees; tree += 1) addTree(tree, explained, into);
  const seconds = secondsSince(start);
  const each = (seconds * 1e9) / (rows * trees * BASELINE);
  process.stdout.write(`| ${trees} | ${2 ** depth} | ${width} | ${rows} | ${seconds.toFixed(2)} | ${each.toFixed(1)} |\n`);
}
process.stdout.write(`\nbench/lgbm has ${treesOf('lgbm')}.\n`);

function secondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

/** Full trees that compare random features with random thresholds. */
function fullTrees(count: number, depth: number, width: number): TreeModel {
  const size = 2 ** (depth + 1) - 1;
  const total = count * size;
  const inner = (node: number): boolean => node % size < 2 ** depth - 1;
  const child = (node: number, side: number): number =>
    inner(node) ? node - (node % size) + 2 * (node % size) + 1 + side : node;
  const less = Int32Array.from({ length: total }, (_, node) => child(node, 0));
  const greater = Int32Array.from({ length: total }, (_, node) => child(node, 1));
  return {
    nodes: {
      positions: new Map(),
      features: Int32Array.from({ length: total }, () => Math.floor(random() * width)),
      thresholds: Float64Array.from({ length: total }, random),
      branches: { less, equal: less, greater, missing: greater },
      trees: Array.from({ length: count }, (_, tree) => ({ root: tree * size, depth, leaves: [] })),
    },
    values: Float64Array.from({ length: total }, (_, node) => (inner(node) ? 0 : random())),
    base: 0,
    columns: Array.from({ length: width }, (_, i) => i),
    rounds: false,
    output: 'score',
  };
}

function treesOf(name: string): string {
  const features = Array.from({ length: 20 }, (_, i) => ({ name: `f${i}`, nullable: true, unknown: 'quarantine' as const }));
  const model = readTreeModel(readFileSync(path.join(ROOT, 'bench', name, 'model.onnx')), {
    inputs: [{ name: 'features', dtype: 'float32', features }],
    output: { name: 'probabilities', index: 1 },
  });
  if ('why' in model) return model.why;
  const leaves = model.nodes.trees.reduce((sum, tree) => sum + tree.leaves.length, 0);
  return `${model.nodes.trees.length} trees with ${leaves} leaves`;
}
