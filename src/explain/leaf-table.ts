import { type Matrix, BACKGROUND_WORDS as WORDS } from './background.ts';
import type { TreeLayout } from './tree-layout.ts';

/** Most numbers in the table: 32 MB. */
const MAX_KNOWN = 2 ** 22;

/** Shares that leaves give to the features on their paths: means over the background rows. */
export interface LeafTable {
  readonly shares: Float64Array;
  /** The set of background rows that pass the tests that x fails; set it before `find`. */
  readonly alive: Int32Array;
  /** Call before asking for the leaves of a tree. */
  prepare(tree: number): void;
  /**
   * @param low positions on the path, 0 to 31, of the features that x fails; `high` has those from 32 on
   * @returns where the leaf's shares begin, in the order of `TreeLayout.tested`; valid until the next call
   */
  find(leaf: number, low: number, high: number): number;
}

/** @param passing see `passingRows` */
export function createLeafTable(layout: TreeLayout, passing: Int32Array, { rows }: Matrix): LeafTable {
  const { starts, lastNodes, values } = layout;
  const side = layout.width + 1;
  const weights = shareWeights(layout.width);
  const stride = Math.max(1, layout.width);
  const slots = 2 ** Math.floor(Math.log2(Math.min(MAX_KNOWN / stride, Math.max(64, values.length * 32))));
  const shares = new Float64Array(slots * stride);
  const leaves = new Int32Array(slots).fill(-1);
  const lows = new Int32Array(slots);
  const highs = new Int32Array(slots);
  const alive = new Int32Array(WORDS);
  const largest = largestTree(layout);
  /** Per leaf of the current tree and background row, the features whose tests the row fails. */
  const missesLow = new Int32Array(largest * rows);
  const missesHigh = new Int32Array(layout.width > 32 ? largest * rows : 0);
  let firstLeaf = 0;

  /** Sums over the background rows in `alive`. They pass the tests that x fails, so x passes those that they fail. */
  const compute = (at: number, leaf: number, low: number, high: number): void => {
    const count = (starts[leaf + 1] as number) - (starts[leaf] as number);
    const value = (values[leaf] as number) / rows;
    const failed = bitsOf(low) + bitsOf(high);
    const from = (leaf - firstLeaf) * rows;
    let minus = 0;
    shares.fill(0, at, at + count);
    for (let word = 0; word < WORDS; word += 1) {
      for (let left = alive[word] as number; left !== 0; left &= left - 1) {
        const row = from + word * 32 + 31 - Math.clz32(left & -left);
        let only = missesLow[row] as number;
        let onlyHigh = count > 32 ? (missesHigh[row] as number) : 0;
        const size = bitsOf(only) + (onlyHigh === 0 ? 0 : bitsOf(onlyHigh));
        minus += weights[failed * side + size] as number;
        const plus = value * (weights[size * side + failed] as number);
        for (; only !== 0; only &= only - 1) {
          const place = at + 31 - Math.clz32(only & -only);
          shares[place] = (shares[place] as number) + plus;
        }
        for (; onlyHigh !== 0; onlyHigh &= onlyHigh - 1) {
          const place = at + 63 - Math.clz32(onlyHigh & -onlyHigh);
          shares[place] = (shares[place] as number) + plus;
        }
      }
    }
    for (let left = low; left !== 0; left &= left - 1) shares[at + 31 - Math.clz32(left & -left)] = -value * minus;
    for (let left = high; left !== 0; left &= left - 1) shares[at + 63 - Math.clz32(left & -left)] = -value * minus;
  };
  return {
    shares,
    alive,
    prepare(tree) {
      const [first = 0, end = 0] = [layout.trees[tree], layout.trees[tree + 1]];
      const own = layout.leaves.subarray(first, end).filter((leaf) => leaf >= 0);
      firstLeaf = own[0] ?? 0;
      missesLow.fill(0);
      missesHigh.fill(0);
      for (const leaf of own) {
        const start = starts[leaf] as number;
        for (let k = 0, count = (starts[leaf + 1] as number) - start; k < count; k += 1) {
          const node = (lastNodes[start + k] as number) * WORDS;
          const misses = k < 32 ? missesLow : missesHigh;
          for (let row = 0, at = (leaf - firstLeaf) * rows; row < rows; row += 1, at += 1) {
            const passes = ((passing[node + (row >> 5)] as number) >>> (row & 31)) & 1;
            misses[at] = (misses[at] as number) | ((1 - passes) << (k & 31));
          }
        }
      }
    },
    find(leaf, low, high) {
      const mixed = Math.imul(leaf, 0x9e3779b1) ^ Math.imul(low, 0x85ebca6b) ^ Math.imul(high, 0xc2b2ae35);
      const slot = (mixed ^ (mixed >>> 15)) & (slots - 1);
      if (leaves[slot] !== leaf || lows[slot] !== low || highs[slot] !== high) {
        compute(slot * stride, leaf, low, high);
        leaves[slot] = leaf;
        lows[slot] = low;
        highs[slot] = high;
      }
      return slot * stride;
    },
  };
}

/** Number of leaves of the largest tree. */
function largestTree({ trees, leaves }: TreeLayout): number {
  let most = 0;
  for (let tree = 0; tree + 1 < trees.length; tree += 1) {
    const own = leaves.subarray(trees[tree], trees[tree + 1]).filter((leaf) => leaf >= 0);
    most = Math.max(most, own.length);
  }
  return most;
}

/** (s-1)! t! / (s+t)! at `s * (most + 1) + t`, which is 1 / (s · C(s+t, s)); 0 for s = 0. */
function shareWeights(most: number): Float64Array {
  const side = most + 1;
  const table = new Float64Array(side * side);
  for (let s = 1; s <= most; s += 1) {
    let binomial = 1;
    for (let t = 0; t <= most; t += 1) {
      table[s * side + t] = 1 / (s * binomial);
      binomial = (binomial * (s + t + 1)) / (t + 1);
    }
  }
  return table;
}

/** Number of set bits: Warren, Hacker's Delight, figure 5-2. */
function bitsOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
