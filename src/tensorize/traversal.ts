import type { Fragment } from './fragment.ts';
import type { Branches, Tree, TreeNodes } from './tree-nodes.ts';

/** `<`, `<=`, … as operators of ONNX, and the branches that they choose. None of them holds for NaN. */
const COMPARISONS: readonly (readonly [operator: string, chosen: readonly (keyof Branches)[]])[] = [
  ['LessOrEqual', ['less', 'equal']],
  ['GreaterOrEqual', ['equal', 'greater']],
  ['Less', ['less']],
  ['Greater', ['greater']],
  ['Equal', ['equal']],
];

const BRANCHES = ['less', 'equal', 'greater', 'missing'] as const;

/** Trees of like depth go together: each level is work for all of them. More groups are more operations. */
const MAX_GROUPS = 4;

/**
 * The way of each row through all trees at once, level by level: positions of nodes are gathered from tables by the positions of
 * the level before; who is at a leaf stays there. Only operations with kernels in GPU providers: WebGPU has none for AND, OR and
 * NOT, and its choice between booleans fails, so that comparisons choose between positions alone. NaN is told by comparisons that
 * do not hold, since shaders may assume that no number is NaN when they are asked for that.
 *
 * @param input name of the features, `[N, F]`
 * @returns name of the positions of leaves, int32 `[N, trees.length]`, a column for each tree in their order
 */
export function traversal(fragment: Fragment, input: string, nodes: TreeNodes, trees: readonly Tree[]): string {
  const tables = tablesOf(fragment, nodes);
  const groups = byDepth(trees);
  const found = groups.map((group, i) => descent(fragment, input, tables, group, i));
  const [first = ''] = found;
  if (found.length === 1) return first;
  const columns = new Map(groups.flat().map((tree, column) => [tree, column]));
  const order = Int32Array.from(trees, (tree) => columns.get(tree) ?? 0);
  const together = fragment.apply('Concat', found, { axis: 1 });
  return fragment.apply('Gather', [together, fragment.constant('tree', [trees.length], order)], { axis: 1 });
}

/** The trees in groups of like depth, as many in each, the deepest last; one group as they are where that would save little. */
function byDepth(trees: readonly Tree[]): (readonly Tree[])[] {
  const sorted = [...trees].sort((a, b) => a.depth - b.depth);
  const size = Math.ceil(trees.length / MAX_GROUPS);
  const groups = Array.from({ length: Math.ceil(trees.length / size) }, (_, i) => sorted.slice(i * size, (i + 1) * size));
  const work = (some: readonly Tree[]): number => some.length * levelsOf(some);
  return groups.reduce((sum, group) => sum + work(group), 0) < 0.8 * work(sorted) ? groups : [trees];
}

function levelsOf(trees: readonly Tree[]): number {
  return trees.reduce((most, { depth }) => Math.max(most, depth), 1);
}

/** The tables of nodes, whose names are made when they are first needed. */
interface Tables extends TreeNodes {
  readonly choices: Choices;
  readonly name: (table: 'features' | 'thresholds' | keyof Branches) => string;
}

function tablesOf(fragment: Fragment, nodes: TreeNodes): Tables {
  const names = new Map<string, string>();
  return {
    ...nodes,
    choices: choicesOf(nodes.branches),
    name(table) {
      const values = table === 'features' || table === 'thresholds' ? nodes[table] : nodes.branches[table];
      const name = names.get(table) ?? fragment.constant(table, [values.length], values);
      names.set(table, name);
      return name;
    },
  };
}

/** The way through some trees, all of them as deep as the deepest. */
function descent(fragment: Fragment, input: string, tables: Tables, trees: readonly Tree[], group: number): string {
  const { features, thresholds, branches, choices } = tables;
  // The first level starts at the roots, the same for every row: its tables have one row.
  const first = (name: string, table: Int32Array | Float32Array | Float64Array): string =>
    fragment.constant(`root_${name}${group}`, [1, trees.length], atRoots(table, trees));
  const columns = fragment.constant(`root_features${group}`, [trees.length], atRoots(features, trees));
  const value = fragment.apply('Gather', [input, columns], { axis: 1 });
  let position = choose(fragment, value, first('thresholds', thresholds), choices, (branch) => first(branch, branches[branch]));
  for (let level = 1; level < levelsOf(trees); level += 1) {
    const here = position;
    const gather = (table: Parameters<Tables['name']>[0]): string =>
      fragment.apply('Gather', [tables.name(table), here], { axis: 0 });
    const feature = fragment.apply('GatherElements', [input, gather('features')], { axis: 1 });
    position = choose(fragment, feature, gather('thresholds'), choices, gather);
  }
  return position;
}

function atRoots(table: Int32Array | Float32Array | Float64Array, trees: readonly Tree[]): typeof table {
  const values = table.slice(0, trees.length);
  for (const [i, { root }] of trees.entries()) values[i] = table[root] ?? 0;
  return values;
}

/** Comparisons in order, each with the branch that is taken where it holds; the branch where none does. */
interface Choices {
  readonly tests: readonly { readonly operator: string; readonly branch: keyof Branches }[];
  readonly otherwise: keyof Branches;
}

/** The fewest comparisons that tell the branches apart which differ in any node; NaN is told by none of them. */
function choicesOf(branches: Branches): Choices {
  const same = (one: keyof Branches, other: keyof Branches): boolean =>
    branches[one].every((child, i) => child === branches[other][i]);
  let left = BRANCHES.filter((branch) => branch !== 'missing' && !same(branch, 'missing'));
  const tests: { operator: string; branch: keyof Branches }[] = [];
  while (left.length > 0) {
    const [operator, chosen] = COMPARISONS.find(
      ([, names]) => names.every((name) => left.includes(name)) && names.every((name) => same(name, names[0] ?? name)),
    ) ?? ['Less', ['less']];
    tests.push({ operator, branch: chosen[0] ?? 'less' });
    left = left.filter((branch) => !chosen.includes(branch));
  }
  // Trees of one leaf each: there must be a row of positions for every row all the same.
  return { tests: tests.length > 0 ? tests : [{ operator: 'Less', branch: 'less' }], otherwise: 'missing' };
}

function choose(
  fragment: Fragment,
  value: string,
  threshold: string,
  { tests, otherwise }: Choices,
  positions: (branch: keyof Branches) => string,
): string {
  return tests.reduceRight(
    (rest, { operator, branch }) =>
      fragment.apply('Where', [fragment.apply(operator, [value, threshold]), positions(branch), rest]),
    positions(otherwise),
  );
}
