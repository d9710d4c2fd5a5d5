import { type Matrix, passingRows, BACKGROUND_WORDS as WORDS } from './background.ts';
import { createLeafTable, type LeafTable } from './leaf-table.ts';
import { childOf, type TreeLayout } from './tree-layout.ts';

/**
 * Exact interventional Shapley values of a sum of trees against background rows, as `shap.TreeExplainer(model, data=background,
 * feature_perturbation='interventional')`: https://doi.org/10.1038/s42256-019-0138-9, algorithm 3 ("independent TreeSHAP").
 *
 * A leaf is reached by a row made of features of x and of a background row z if x or z passes all tests of each feature on the
 * path. With S the features for which only x does and T those for which only z does, the leaf's value v gives each feature of S
 * the share v (|S|-1)! |T|! / (|S|+|T|)! and each of T the share -v |S|! (|T|-1)! / (|S|+|T|)!.
 *
 * A leaf's shares depend only on which of its features x fails, and many rows fail the same ones. So they are summed over the
 * background once, and cached in a table of fixed size. A subtree is skipped if no background row passes the tests that x
 * fails.
 *
 * @param background 1 to 128 rows
 * @returns a function that adds one tree's shares for the features of each row to `into`, `[rows, width]`. One tree at a time,
 * so that its part of the table stays in the processor's cache
 */
export function createShapley(
  layout: TreeLayout,
  background: Matrix,
): (tree: number, matrix: Matrix, into: Float64Array) => void {
  const passing = passingRows(layout, background);
  const known = createLeafTable(layout, passing, background);
  const levels = layout.depth + 1;
  const state = {
    failedLow: new Int32Array(levels),
    failedHigh: new Int32Array(levels),
    alive: new Int32Array(levels * WORDS),
    chosen: new Uint8Array(levels),
  };
  return (tree, matrix, into) => {
    known.prepare(tree);
    for (let row = 0; row < matrix.rows; row += 1) walk({ layout, passing, known, state, matrix, into }, tree, row);
  };
}

interface Walk {
  readonly layout: TreeLayout;
  readonly passing: Int32Array;
  readonly known: LeafTable;
  /** Per depth of the path to the current node. */
  readonly state: {
    /** Positions of the features that x fails. */
    readonly failedLow: Int32Array;
    readonly failedHigh: Int32Array;
    /** Background rows that pass all tests of these features. */
    readonly alive: Int32Array;
    /** The child that x takes. */
    readonly chosen: Uint8Array;
  };
  readonly matrix: Matrix;
  readonly into: Float64Array;
}

/** Adds one tree's shares for the features of one row. */
function walk({ layout, passing, known, state, matrix, into }: Walk, tree: number, row: number): void {
  const { columns, thresholds, leads, depths, sides, places, ends, leaves, values, starts, tested } = layout;
  const { failedLow, failedHigh, alive, chosen } = state;
  const start = row * matrix.width;
  const end = layout.trees[tree + 1] as number;
  for (let node = layout.trees[tree] as number; node < end; ) {
    const depth = depths[node] as number;
    let low = 0;
    let high = 0;
    let a: number;
    let b: number;
    let c: number;
    let d: number;
    if (depth > 0) {
      const above = depth - 1;
      low = failedLow[above] as number;
      high = failedHigh[above] as number;
      a = alive[above * WORDS] as number;
      b = alive[above * WORDS + 1] as number;
      c = alive[above * WORDS + 2] as number;
      d = alive[above * WORDS + 3] as number;
      const place = places[node] as number;
      const bit = 1 << (place & 31);
      const failed = place < 32 ? low & bit : high & bit;
      if (failed !== 0 || chosen[above] !== sides[node]) {
        a &= passing[node * WORDS] as number;
        b &= passing[node * WORDS + 1] as number;
        c &= passing[node * WORDS + 2] as number;
        d &= passing[node * WORDS + 3] as number;
        if ((a | b | c | d) === 0) {
          node = ends[node] as number;
          continue;
        }
        if (place < 32) low |= bit;
        else high |= bit;
      }
    } else {
      a = passing[node * WORDS] as number;
      b = passing[node * WORDS + 1] as number;
      c = passing[node * WORDS + 2] as number;
      d = passing[node * WORDS + 3] as number;
    }
    const column = columns[node] as number;
    if (column < 0) {
      const leaf = leaves[node] as number;
      if (values[leaf] !== 0) {
        known.alive[0] = a;
        known.alive[1] = b;
        known.alive[2] = c;
        known.alive[3] = d;
        let at = known.find(leaf, low, high);
        for (let k = starts[leaf] as number, stop = starts[leaf + 1] as number; k < stop; k += 1, at += 1) {
          const place = start + (tested[k] as number);
          into[place] = (into[place] as number) + (known.shares[at] as number);
        }
      }
    } else {
      alive[depth * WORDS] = a;
      alive[depth * WORDS + 1] = b;
      alive[depth * WORDS + 2] = c;
      alive[depth * WORDS + 3] = d;
      failedLow[depth] = low;
      failedHigh[depth] = high;
      chosen[depth] = childOf(leads[node] as number, matrix.values[start + column] as number, thresholds[node] as number);
    }
    node += 1;
  }
}
