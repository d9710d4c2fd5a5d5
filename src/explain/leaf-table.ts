import { BACKGROUND_WORDS as WORDS } from './background.ts';
import type { TreeLayout } from './tree-layout.ts';

/** Numbers that the table may hold: 32 MB. */
const MAX_KNOWN = 2 ** 22;

/** What leaves give the features on their paths: means over the background rows. */
export interface LeafTable {
  readonly shares: Float64Array;
  /**
   * @param low positions on the path, 0 to 31, of the features that x fails; `high` has those from 32
   * @param alive sets of background rows; the one from `from` passes all tests of these features
   * @returns where the leaf's shares begin, in the order of `TreeLayout.tested`; valid until the next call
   */
  find(leaf: number, low: number, high: number, alive: Int32Array, from: number): number;
}

/** @param passing see `passingRows` @param rows how many background rows there are */
export function createLeafTable(layout: TreeLayout, passing: Int32Array, rows: number): LeafTable {
  const stride = Math.max(1, layout.width);
  const slots = 2 ** Math.floor(Math.log2(Math.min(MAX_KNOWN / stride, Math.max(64, layout.values.length * 32))));
  const shares = new Float64Array(slots * stride);
  const leaves = new Int32Array(slots).fill(-1);
  const lows = new Int32Array(slots);
  const highs = new Int32Array(slots);
  const weights = createWeights(layout.width);
  const { starts, lastNodes, values } = layout;

  const compute = (slot: number, set: { leaf: number; low: number; high: number }, alive: Int32Array, from: number): void => {
    const { leaf, low, high } = set;
    const first = starts[leaf] as number;
    const count = (starts[leaf + 1] as number) - first;
    const at = slot * stride;
    const value = (values[leaf] as number) / rows;
    const failed = bitsOf(low) + bitsOf(high);
    shares.fill(0, at, at + count);
    for (let word = 0; word < WORDS; word += 1) {
      for (let left = alive[from + word] as number; left !== 0; left &= left - 1) {
        const row = left & -left;
        const passes = (k: number): boolean =>
          ((passing[(lastNodes[first + k] as number) * WORDS + word] as number) & row) !== 0;
        const fails = (k: number): boolean => (((k < 32 ? low : high) >>> (k & 31)) & 1) === 1;
        let only = 0;
        for (let k = 0; k < count; k += 1) if (!fails(k) && !passes(k)) only += 1;
        const plus = value * weights(only, failed);
        const minus = value * weights(failed, only);
        for (let k = 0; k < count; k += 1) {
          if (fails(k)) shares[at + k] = (shares[at + k] as number) - minus;
          else if (!passes(k)) shares[at + k] = (shares[at + k] as number) + plus;
        }
      }
    }
  };
  return {
    shares,
    find(leaf, low, high, alive, from) {
      const mixed = Math.imul(leaf, 0x9e3779b1) ^ Math.imul(low, 0x85ebca6b) ^ Math.imul(high, 0xc2b2ae35);
      const slot = (mixed ^ (mixed >>> 15)) & (slots - 1);
      if (leaves[slot] !== leaf || lows[slot] !== low || highs[slot] !== high) {
        compute(slot, { leaf, low, high }, alive, from);
        leaves[slot] = leaf;
        lows[slot] = low;
        highs[slot] = high;
      }
      return slot * stride;
    },
  };
}

/** (s-1)! t! / (s+t)! for up to `most` features, which is 1 / (s · C(s+t, s)); 0 without s. */
function createWeights(most: number): (s: number, t: number) => number {
  const side = most + 1;
  const table = new Float64Array(side * side);
  for (let s = 1; s <= most; s += 1) {
    let binomial = 1;
    for (let t = 0; t <= most; t += 1) {
      table[s * side + t] = 1 / (s * binomial);
      binomial = (binomial * (s + t + 1)) / (t + 1);
    }
  }
  return (s, t) => table[s * side + t] as number;
}

function bitsOf(word: number): number {
  let count = 0;
  for (let left = word; left !== 0; left &= left - 1) count += 1;
  return count;
}
