import type { TreeModel } from './tree-ensemble.ts';

/** Most features that the nodes on one path may test: paths are sets of features in two 32-bit words. */
const MAX_TESTED = 64;

/** Trees in a file may share subtrees, which are expanded here. Some 200 MB. */
const MAX_NODES = 2 ** 22;

/**
 * Trees, each with its nodes in preorder, so that one loop walks them: a node is followed by its first child, and `end` says
 * where to continue if its subtree is skipped. Nodes are numbered from 0 over all trees.
 *
 * The features that a path tests have positions on it, in order of appearance. All nodes on a path share these positions.
 */
export interface TreeLayout {
  /** Where each tree begins, followed by the end of the last one. */
  readonly trees: Int32Array;
  /** Feature that a node tests; -1 in a leaf. */
  readonly columns: Int32Array;
  readonly thresholds: Float64Array;
  /** Which child each result of the comparison leads to: bit 0 less, 1 equal, 2 greater, 3 missing; see `childOf`. */
  readonly leads: Uint8Array;
  readonly depths: Uint16Array;
  /** Which child of its parent a node is, 0 or 1. */
  readonly sides: Uint8Array;
  /** Position on the path of the feature that the parent tests. */
  readonly places: Uint8Array;
  /** The node, as a child, at which the same path last tested this feature; -1 if it did not. */
  readonly earlier: Int32Array;
  readonly parents: Int32Array;
  readonly ends: Int32Array;
  /** Number of a leaf from 0; -1 for inner nodes. */
  readonly leaves: Int32Array;
  /** What each leaf adds to the output, by its number. */
  readonly values: Float64Array;
  /** Per leaf, where its features begin in the next two lists, plus the end of the last. */
  readonly starts: Int32Array;
  /** Features that the path to a leaf tests, by their positions on it. */
  readonly tested: Int32Array;
  /** The node below the last test of each of these features. */
  readonly lastNodes: Int32Array;
  readonly depth: number;
  /** Most features on a path. */
  readonly width: number;
}

/** The child to which a value leads. @param leads as in `TreeLayout` */
export function childOf(leads: number, value: number, threshold: number): number {
  const result = value < threshold ? 0 : value > threshold ? 2 : value === threshold ? 1 : 3;
  return (leads >> result) & 1;
}

/** @returns a clause instead if the trees are too large */
export function layOut({ nodes, values, columns }: TreeModel): TreeLayout | { readonly why: string } {
  const { less, equal, greater, missing } = nodes.branches;
  const list = {
    trees: [] as number[],
    columns: [] as number[],
    thresholds: [] as number[],
    leads: [] as number[],
    depths: [] as number[],
    sides: [] as number[],
    places: [] as number[],
    earlier: [] as number[],
    parents: [] as number[],
    ends: [] as number[],
    leaves: [] as number[],
    values: [] as number[],
    starts: [0],
    tested: [] as number[],
    lastNodes: [] as number[],
  };
  /** Features tested on the path to the current node, each with the node below its last test. */
  const path: { readonly column: number; last: number }[] = [];
  let [deepest, width] = [0, 0];
  let why: string | undefined;

  const visit = (position: number, parent: number, side: number, place: number): void => {
    // Both children may be the same node, in which case the test decides nothing.
    let at = position;
    let target = less[at] ?? at;
    while (target !== at && target === equal[at] && target === greater[at] && target === missing[at]) {
      at = target;
      target = less[at] ?? at;
    }
    const node = list.columns.length;
    if (node >= MAX_NODES) why ??= `its trees have more than ${MAX_NODES} nodes`;
    if (why !== undefined) return;
    const depth = parent < 0 ? 0 : (list.depths[parent] ?? 0) + 1;
    const leaf = target === at;
    deepest = Math.max(deepest, depth);
    list.columns.push(leaf ? -1 : (columns[nodes.features[at] ?? 0] ?? 0));
    list.thresholds.push(nodes.thresholds[at] ?? 0);
    list.leads.push([less, equal, greater, missing].reduce((bits, to, i) => bits | (to[at] === target ? 0 : 1 << i), 0));
    list.depths.push(depth);
    list.sides.push(side);
    list.places.push(place);
    list.parents.push(parent);
    list.leaves.push(leaf ? list.values.length : -1);
    list.ends.push(0);
    const tested = path[place];
    list.earlier.push(parent < 0 ? -1 : (tested?.last ?? -1));
    const before = tested?.last ?? -1;
    if (tested !== undefined && parent >= 0) tested.last = node;
    if (leaf) {
      list.values.push(values[at] ?? 0);
      for (const { column, last } of path) {
        list.tested.push(column);
        list.lastNodes.push(last);
      }
      list.starts.push(list.tested.length);
    } else {
      const column = list.columns[node] ?? 0;
      const known = path.findIndex((one) => one.column === column);
      const next = known < 0 ? path.push({ column, last: -1 }) - 1 : known;
      width = Math.max(width, path.length);
      if (width > MAX_TESTED) why ??= `a path of its trees tests more than ${MAX_TESTED} features`;
      const other = [equal[at], greater[at], missing[at]].find((child) => child !== target) ?? target;
      visit(target, node, 0, next);
      visit(other, node, 1, next);
      if (known < 0) path.pop();
    }
    if (tested !== undefined && parent >= 0) tested.last = before;
    list.ends[node] = list.columns.length;
  };
  for (const { root } of nodes.trees) {
    list.trees.push(list.columns.length);
    visit(root, -1, 0, 0);
  }
  if (why !== undefined) return { why };
  list.trees.push(list.columns.length);
  return {
    trees: Int32Array.from(list.trees),
    columns: Int32Array.from(list.columns),
    thresholds: Float64Array.from(list.thresholds),
    leads: Uint8Array.from(list.leads),
    depths: Uint16Array.from(list.depths),
    sides: Uint8Array.from(list.sides),
    places: Uint8Array.from(list.places),
    earlier: Int32Array.from(list.earlier),
    parents: Int32Array.from(list.parents),
    ends: Int32Array.from(list.ends),
    leaves: Int32Array.from(list.leaves),
    values: Float64Array.from(list.values),
    starts: Int32Array.from(list.starts),
    tested: Int32Array.from(list.tested),
    lastNodes: Int32Array.from(list.lastNodes),
    depth: deepest,
    width,
  };
}
