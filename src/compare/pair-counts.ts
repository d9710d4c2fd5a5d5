import { type Border, MUCH, overlapOf, type PairFacts, PERCENTS, tenthOf } from './pair-facts.ts';

/** Highest score in millionths. */
const HIGHEST = 1_000_000;

/** Scores of users in both, in millionths. */
export interface Pairs {
  readonly size: number;
  readonly a: Int32Array;
  readonly b: Int32Array;
}

export type CountedPairs = Omit<PairFacts, 'moves' | 'largest'>;

/** Computes in memory what the SQL of `readPairs` measures, by counting: 40 MB besides the scores, and linear time. */
export function countPairs({ size, a, b }: Pairs): CountedPairs {
  const changes = new Uint32Array(2 * HIGHEST + 1);
  const [ofA, ofB] = [new Uint32Array(HIGHEST + 1), new Uint32Array(HIGHEST + 1)];
  const sums = { change: 0, absolute: 0, largestChange: 0, equal: 0, muchHigher: 0, muchLower: 0 };
  for (let i = 0; i < size; i += 1) {
    const [one, other] = [a[i] ?? 0, b[i] ?? 0];
    const change = other - one;
    bump(ofA, one);
    bump(ofB, other);
    bump(changes, change + HIGHEST);
    sums.change += change;
    sums.absolute += Math.abs(change);
    sums.largestChange = Math.max(sums.largestChange, Math.abs(change));
    if (change === 0) sums.equal += 1;
    if (change > MUCH) sums.muchHigher += 1;
    if (change < -MUCH) sums.muchLower += 1;
  }
  if (size === 0) return { users: 0, ...sums, quantiles: [], overlap: 0, spearman: undefined };
  return { users: size, ...sums, quantiles: quantilesOf(changes, size), ...ranksOf({ size, a, b }, ofA, ofB) };
}

/** See `quantilesOver`. */
function quantilesOf(changes: Uint32Array, size: number): number[] {
  const found: number[] = [];
  let upto = 0;
  for (let i = 0; i < changes.length && found.length < PERCENTS.length; i += 1) {
    upto += changes[i] ?? 0;
    while (upto * 100 >= size * (PERCENTS[found.length] ?? Number.POSITIVE_INFINITY)) found.push(i - HIGHEST);
  }
  return found;
}

function ranksOf({ size, a, b }: Pairs, ofA: Uint32Array, ofB: Uint32Array): Pick<PairFacts, 'overlap' | 'spearman'> {
  const [borderA, borderB] = [borderOf(ofA, size), borderOf(ofB, size)];
  const [rankA, rankB] = [centredRanks(ofA, size), centredRanks(ofB, size)];
  const at = { bothAbove: 0, aAboveBAt: 0, aAtBAbove: 0, bothAt: 0 };
  let [together, spreadA, spreadB] = [0, 0, 0];
  for (let i = 0; i < size; i += 1) {
    const [one, other] = [a[i] ?? 0, b[i] ?? 0];
    const [x, y] = [rankA[one] ?? 0, rankB[other] ?? 0];
    together += x * y;
    spreadA += x * x;
    spreadB += y * y;
    if (one > borderA.millionths && other > borderB.millionths) at.bothAbove += 1;
    else if (one > borderA.millionths && other === borderB.millionths) at.aAboveBAt += 1;
    else if (one === borderA.millionths && other > borderB.millionths) at.aAtBAbove += 1;
    else if (one === borderA.millionths && other === borderB.millionths) at.bothAt += 1;
  }
  return {
    overlap: overlapOf(borderA, borderB, at),
    spearman: spreadA === 0 || spreadB === 0 ? undefined : together / Math.sqrt(spreadA * spreadB),
  };
}

function borderOf(counts: Uint32Array, size: number): Border {
  let above = 0;
  for (let millionths = HIGHEST; millionths >= 0; millionths -= 1) {
    const tied = counts[millionths] ?? 0;
    if (above + tied >= tenthOf(size)) return { millionths, tied, taken: tenthOf(size) - above };
    above += tied;
  }
  throw new RangeError('there are no scores');
}

/** Twice the difference between a score's mean rank and the mean of all ranks. */
function centredRanks(counts: Uint32Array, size: number): Float64Array {
  const ranks = new Float64Array(counts.length);
  let upto = 0;
  for (let score = 0; score < counts.length; score += 1) {
    const n = counts[score] ?? 0;
    upto += n;
    ranks[score] = 2 * upto - n - size;
  }
  return ranks;
}

function bump(counts: Uint32Array, at: number): void {
  counts[at] = (counts[at] ?? 0) + 1;
}
