import { seededRandom } from '../../src/random.ts';

/** Random draws of the generator, all from one seed. */
export interface Draws {
  /** A number in [0, 1). */
  readonly share: () => number;
  readonly chance: (rate: number) => boolean;
  /** An integer, both bounds included. */
  readonly between: (from: number, to: number) => number;
  readonly pick: <T>(list: readonly T[]) => T;
  /** A factor around 1 whose logarithm is normal, with this standard deviation. */
  readonly factor: (deviation: number) => number;
  /** A waiting time with this mean. */
  readonly wait: (mean: number) => number;
}

export function draws(seed: number): Draws {
  const share = seededRandom(seed);
  const between = (from: number, to: number) => from + Math.floor(share() * (to - from + 1));
  return {
    share,
    between,
    chance: (rate) => share() < rate,
    pick<T>(list: readonly T[]): T {
      const one = list[between(0, list.length - 1)];
      if (one === undefined) throw new RangeError('an empty list has nothing to pick');
      return one;
    },
    // Box–Muller transform of two uniform numbers.
    factor: (deviation) => Math.exp(deviation * Math.sqrt(-2 * Math.log(1 - share())) * Math.cos(2 * Math.PI * share())),
    wait: (mean) => -mean * Math.log(1 - share()),
  };
}
