import type { Fragment } from './fragment.ts';
import type { Branches, Tree, TreeNodes } from './tree-nodes.ts';

/** ONNX comparison operators and the branches for which they are true. None is true for NaN. */
const COMPARISONS: readonly (readonly [operator: string, chosen: readonly (keyof Branches)[]])[] = [
  ['LessOrEqual', ['less', 'equal']],
  ['GreaterOrEqual', ['equal', 'greater']],
  ['Less', ['less']],
  ['Greater', ['greater']],
  ['Equal', ['equal']],
];

const BRANCHES = ['less', 'equal', 'greater', 'missing'] as const;

/** Trees of similar depth form a group, because each level costs work for the whole group. More groups are more operations. */
const MAX_GROUPS = 4;

/**
 * Moves each row through all trees at once, level by level. Tables map the node positions of one level to those of the next; a
 * leaf maps to itself. Uses only operations with kernels in GPU providers. WebGPU has none for AND, OR and NOT, and its choice
 * between booleans fails, so comparisons only choose between positions. NaN is recognized by comparisons that are all false,
 * because shaders may assume that an explicit NaN test is always false.
 *
 * @param input name of the features, `[N, F]`
 * @returns name of the leaf positions, int32 `[N, trees.length]`, one column per tree in the given order
 */
export function traversal(fragment: Fragment, input: string, nodes: TreeNodes, trees: readonly Tree[]): string {
  const tables = tablesOf(fragment, nodes);
  const groups = byDepth(trees);
  const found = groups.map((group, i) => descend(fragment, { input, tables, trees: group, group: i }));
  const [first = ''] = found;
  if (found.length === 1) return first;
  const columns = new Map(groups.flat().map((tree, column) => [tree, column]));
  const order = Int32Array.from(trees, (tree) => columns.get(tree) ?? 0);
  const together = fragment.apply('Concat', found, { axis: 1 });
  return fragment.apply('Gather', [together, fragment.constant('tree', [trees.length], order)], { axis: 1 });
}

/** Equal groups of trees by depth, the deepest last. A single group in the given order if grouping would save little. */
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

/** The tables of nodes. A table becomes a constant of the graph on first use. */
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

interface Descent {
  readonly input: string;
  readonly tables: Tables;
  readonly trees: readonly Tree[];
  /** Number of the group, for names. */
  readonly group: number;
}

/** Moves rows through some trees, for as many levels as the deepest tree has. */
function descend(fragment: Fragment, { input, tables, trees, group }: Descent): string {
  const { features, thresholds, branches, choices } = tables;
  // Every row starts at the roots, so the tables of the first level have one row.
  const first = (name: string, table: Int32Array | Float32Array | Float64Array): string =>
    fragment.constant(`root_${name}${group}`, [1, trees.length], atRoots(table, trees));
  const columns = fragment.constant(`root_features${group}`, [trees.length], atRoots(features, trees));
  const atRoot = fragment.apply('Gather', [input, columns], { axis: 1 });
  const compared = { value: atRoot, threshold: first('thresholds', thresholds) };
  let position = choose(fragment, choices, compared, (branch) => first(branch, branches[branch]));
  for (let level = 1; level < levelsOf(trees); level += 1) {
    const here = position;
    const gather = (table: Parameters<Tables['name']>[0]): string =>
      fragment.apply('Gather', [tables.name(table), here], { axis: 0 });
    const feature = fragment.apply('GatherElements', [input, gather('features')], { axis: 1 });
    position = choose(fragment, choices, { value: feature, threshold: gather('thresholds') }, gather);
  }
  return position;
}

function atRoots(table: Int32Array | Float32Array | Float64Array, trees: readonly Tree[]): typeof table {
  const values = table.slice(0, trees.length);
  for (const [i, { root }] of trees.entries()) values[i] = table[root] ?? 0;
  return values;
}

/** Comparisons in order, each with the branch to take if it is true, and the branch if none is. */
interface Choices {
  readonly tests: readonly { readonly operator: string; readonly branch: keyof Branches }[];
  readonly otherwise: keyof Branches;
}

/** The fewest comparisons that distinguish the branches that differ in some node. NaN fails them all. */
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
  // If every tree is a single leaf, one comparison is still needed to get a position for every row.
  return { tests: tests.length > 0 ? tests : [{ operator: 'Less', branch: 'less' }], otherwise: 'missing' };
}

function choose(
  fragment: Fragment,
  { tests, otherwise }: Choices,
  { value, threshold }: { readonly value: string; readonly threshold: string },
  positions: (branch: keyof Branches) => string,
): string {
  return tests.reduceRight(
    (rest, { operator, branch }) =>
      fragment.apply('Where', [fragment.apply(operator, [value, threshold]), positions(branch), rest]),
    positions(otherwise),
  );
}
