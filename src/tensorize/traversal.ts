import type { Fragment } from './fragment.ts';
import type { Branches, TreeNodes } from './tree-nodes.ts';

/** `<`, `<=`, … as operators of ONNX, and the branches that they choose. None of them holds for NaN. */
const COMPARISONS: readonly (readonly [operator: string, chosen: readonly (keyof Branches)[]])[] = [
  ['LessOrEqual', ['less', 'equal']],
  ['GreaterOrEqual', ['equal', 'greater']],
  ['Less', ['less']],
  ['Greater', ['greater']],
  ['Equal', ['equal']],
];

const BRANCHES = ['less', 'equal', 'greater', 'missing'] as const;

/**
 * The way of each row through all trees at once, level by level: positions of nodes are gathered from tables by the positions of
 * the level before; who is at a leaf stays there. Only operations with kernels in GPU providers: WebGPU has none for AND, OR and
 * NOT, and its choice between booleans fails, so that comparisons choose between positions alone. NaN is told by comparisons that
 * do not hold, since shaders may assume that no number is NaN when they are asked for that.
 *
 * @param input name of the features, `[N, F]`
 * @param roots positions of the roots of the trees
 * @param levels depth of the deepest tree, at least 1
 * @returns name of the positions of leaves, int32 `[N, roots.length]`
 */
export function traversal(
  fragment: Fragment,
  input: string,
  { features, thresholds, branches }: TreeNodes,
  roots: readonly number[],
  levels: number,
): string {
  const count = features.length;
  const choices = choicesOf(branches);
  const rootFeatures = Int32Array.from(roots, (root) => features[root] ?? 0);
  const at = <T extends Int32Array | Float32Array | Float64Array>(table: T): T => {
    const values = table.slice(0, roots.length) as T;
    for (const [i, root] of roots.entries()) values[i] = table[root] ?? 0;
    return values;
  };
  // The first level starts at the roots, the same for every row: its tables have one row.
  const first = (name: string, table: Int32Array | Float32Array | Float64Array): string =>
    fragment.constant(`root_${name}`, [1, roots.length], at(table));
  const rootIndex = fragment.constant('root_feature', [roots.length], rootFeatures);
  const value = fragment.apply('Gather', [input, rootIndex], { axis: 1 });
  let position = choose(fragment, value, first('threshold', thresholds), choices, (branch) => first(branch, branches[branch]));
  if (levels === 1) return position;
  const featureTable = fragment.constant('feature', [count], features);
  const thresholdTable = fragment.constant('threshold', [count], thresholds);
  const used = new Set([choices.otherwise, ...choices.tests.map(({ branch }) => branch)]);
  const tables = new Map([...used].map((branch) => [branch, fragment.constant(branch, [count], branches[branch])]));
  for (let level = 1; level < levels; level += 1) {
    const here = position;
    const gather = (table: string): string => fragment.apply('Gather', [table, here], { axis: 0 });
    const feature = fragment.apply('GatherElements', [input, gather(featureTable)], { axis: 1 });
    position = choose(fragment, feature, gather(thresholdTable), choices, (branch) => gather(tables.get(branch) ?? ''));
  }
  return position;
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
