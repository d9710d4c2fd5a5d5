import type { CaseName, Peer } from './flags.ts';
import type { Measures } from './measure.ts';
import type { Work } from './outcome.ts';

// Turns single runs into figures: medians with their spread, and ratios pair by pair.

/** One run of a case: its cost and its work, as far as it got. */
export interface Run extends Partial<Measures>, Partial<Work> {
  readonly name: string;
  readonly kind: 'score-batch' | 'peer' | 'raw';
  readonly job?: CaseName | undefined;
  readonly peer?: Peer | undefined;
  /** The round, from 0. */
  readonly repetition: number;
  /** Why the run failed. */
  readonly problem?: string | undefined;
  /** For the raw rate. */
  readonly rowsPerSecond?: number;
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** A case over its rounds; undefined figures were not measured. */
export interface Figures {
  readonly name: string;
  readonly kind: Run['kind'];
  /** Problem of each failed run. */
  readonly failed: readonly string[];
  readonly runs: number;
  readonly wall?: Spread | undefined;
  readonly cpu?: Spread | undefined;
  readonly peak?: Spread | undefined;
  readonly memory?: Measures['memory'];
  readonly rowsPerSecond: Spread | undefined;
  /** As a share of the raw rate. */
  readonly ofRaw?: Spread | undefined;
  /** Ratio of its wall time to each peer's. */
  readonly ratios?: Readonly<Partial<Record<Peer, Spread | undefined>>>;
  readonly firstBatch?: Spread | undefined;
  readonly mainBusy?: Spread | undefined;
  readonly mainCpu?: Spread | undefined;
}

/**
 * @param runs all runs of one table and one model
 * @returns one line per case, in the order in which they first ran
 */
export function figuresOf(runs: readonly Run[], rows: number): Figures[] {
  const names = [...new Set(runs.map(({ name }) => name))];
  return names.map((name) => figuresOfCase(name, runs, rows));
}

function figuresOfCase(name: string, runs: readonly Run[], rows: number): Figures {
  const own = runs.filter((run) => run.name === name);
  const good = own.filter(({ problem }) => problem === undefined);
  const spreadOf = (pick: (run: Run) => number | undefined) => spread(good.map(pick).filter((value) => value !== undefined));
  const rate = (run: Run) => run.rowsPerSecond ?? rows / wallOf(run);
  const kind = own[0]?.kind ?? 'raw';
  return {
    name,
    kind,
    failed: own.flatMap(({ problem }) => problem ?? []),
    runs: own.length,
    // The raw rate runs for a given time.
    ...(kind !== 'raw' && {
      wall: spreadOf(({ wall }) => wall),
      cpu: spreadOf(({ cpu }) => cpu),
      peak: spreadOf(({ peak }) => peak),
      memory: good.find(({ memory }) => memory !== 'PSS')?.memory ?? 'PSS',
    }),
    rowsPerSecond: spreadOf(rate),
    ...(kind === 'score-batch' && {
      ofRaw: pairs(good, runs, 'raw onnxruntime', (run, raw) => rate(run) / rate(raw)),
      ratios: ratiosOf(good, runs),
      firstBatch: spreadOf(({ firstBatch }) => firstBatch),
      mainBusy: spreadOf(({ mainBusy }) => mainBusy),
      mainCpu: spreadOf((run) => run.mainCpu && run.mainCpu / wallOf(run)),
    }),
  };
}

function wallOf({ wall = Number.NaN }: Run): number {
  return wall;
}

/**
 * Ratio of wall time to each peer's. A peer is compared on the same job if it has a script for it, otherwise on its only one.
 */
function ratiosOf(good: readonly Run[], runs: readonly Run[]): NonNullable<Figures['ratios']> {
  const peers = [...new Set(runs.flatMap(({ peer }) => peer ?? []))];
  return Object.fromEntries(
    peers.flatMap((peer) => {
      const own = runs.filter((run) => run.peer === peer);
      const beside = own.find(({ job }) => job === good[0]?.job) ?? (peer === 'python' ? undefined : own[0]);
      return beside ? [[peer, pairs(good, runs, beside.name, (run, other) => wallOf(run) / wallOf(other))]] : [];
    }),
  );
}

/** One ratio per round: a temporary slowdown of the machine affects both sides. */
function pairs(
  good: readonly Run[],
  runs: readonly Run[],
  other: string,
  ratio: (run: Run, other: Run) => number,
): Spread | undefined {
  const values = good.flatMap((run) => {
    const beside = runs.find(
      ({ name, repetition, problem }) => name === other && repetition === run.repetition && problem === undefined,
    );
    return beside ? [ratio(run, beside)] : [];
  });
  return spread(values);
}

/** Undefined if there are no values. */
function spread(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) return undefined;
  const middle = (sorted.length - 1) / 2;
  const at = (position: number) => sorted[position] ?? Number.NaN;
  return { median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, least, most };
}
