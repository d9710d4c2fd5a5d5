import type { Bands } from '../domain/bands.ts';
import type {
  BandMoves,
  Comparison,
  ComparisonSide,
  Coverage,
  Differences,
  Quantile,
  SideFacts,
} from '../domain/comparison.ts';
import { SCORE_SCALE } from '../domain/tables.ts';
import { type Distribution, driftOf } from './distribution.ts';
import { type PairFacts, PERCENTS, tenthOf } from './pair-facts.ts';
import { rounded } from './rounded.ts';

const MILLION = 10 ** SCORE_SCALE;

/** Counts of two sides. */
export interface Counted {
  readonly a: { readonly facts: SideFacts; readonly distribution: Distribution };
  readonly b: { readonly facts: SideFacts; readonly distribution: Distribution };
  readonly pairs: PairFacts;
  readonly bands: Bands;
}

/** Builds a comparison, without outcomes. */
export function assemble({ a, b, pairs, bands }: Counted): Comparison {
  const coverage = coverageOf(a.distribution.users, b.distribution.users, pairs.users);
  const drift = driftOf(a.distribution, b.distribution);
  return {
    a: sideOf(a.facts, a.distribution),
    b: sideOf(b.facts, b.distribution),
    coverage,
    differences: pairs.users === 0 ? null : differencesOf(pairs),
    largest: pairs.largest.map(({ key, a: one, b: other }) => ({
      ...{ key, score_a: one / MILLION, score_b: other / MILLION, difference: (other - one) / MILLION },
    })),
    ranks:
      pairs.users < 2
        ? null
        : {
            top_decile_overlap: rounded(pairs.overlap / tenthOf(pairs.users)),
            spearman: pairs.spearman === undefined ? null : rounded(pairs.spearman),
          },
    bands: pairs.users === 0 ? null : movesOf(pairs.moves, pairs.users, bands),
    histogram: { a: inTenths(a.distribution), b: inTenths(b.distribution) },
    psi: drift === undefined ? null : rounded(drift),
    outcomes: null,
    notes: [],
  };
}

/** The score 1 belongs to the last tenth. */
function inTenths({ bins }: Distribution): number[] {
  const counts = Array.from({ length: 10 }, () => 0);
  for (const [bin, users] of bins) {
    const tenth = Math.min(9, Math.floor(bin / 100));
    counts[tenth] = (counts[tenth] ?? 0) + users;
  }
  return counts;
}

function sideOf(facts: SideFacts, { users, sum, quantiles }: Distribution): ComparisonSide {
  return {
    ...facts,
    users,
    mean_score: users === 0 ? null : rounded(sum / users / MILLION),
    quantiles: quantilesOf(quantiles),
  };
}

function coverageOf(a: number, b: number, both: number): Coverage {
  const share = (of: number) => (of === 0 ? null : rounded(both / of));
  return { both, only_a: a - both, only_b: b - both, of_a: share(a), of_b: share(b) };
}

function differencesOf(pairs: PairFacts): Differences {
  return {
    users: pairs.users,
    mean: rounded(pairs.change / pairs.users / MILLION),
    mean_absolute: rounded(pairs.absolute / pairs.users / MILLION),
    max_absolute: pairs.largestChange / MILLION,
    equal: pairs.equal,
    much_higher: pairs.muchHigher,
    much_lower: pairs.muchLower,
    quantiles: quantilesOf(pairs.quantiles),
  };
}

function quantilesOf(values: readonly (number | undefined)[]): Quantile[] {
  return PERCENTS.flatMap((percent, i) => {
    const value = values[i];
    return value === undefined ? [] : [{ share: percent / 100, value: value / MILLION }];
  });
}

/** Bands that the job no longer has come after those that it has. */
function movesOf(moves: PairFacts['moves'], users: number, { bounds, rest }: Bands): BandMoves {
  const known = [...bounds.map(({ name }) => name), rest];
  const others = moves.flatMap(({ from, to }) => [from, to]).filter((name) => !known.includes(name));
  const names = [...known, ...[...new Set(others)].sort()];
  const place = (name: string) => names.indexOf(name);
  const moved = moves.reduce((sum, move) => sum + (move.from === move.to ? 0 : move.users), 0);
  return {
    names,
    moves: [...moves].sort((one, other) => place(one.from) - place(other.from) || place(one.to) - place(other.to)),
    moved: rounded(moved / users),
  };
}
