import type { Bands } from '../domain/bands.ts';
import type { Comparison } from '../domain/comparison.ts';
import { ScoreBatchError } from '../errors.ts';
import { assemble } from './assemble.ts';
import { withBands } from './banded-rows.ts';
import { type ComparedSide, LARGEST } from './compare-runs.ts';
import { readDistribution } from './distribution.ts';
import { inHashOrder, keysOf, type StreamedUser } from './hash-stream.ts';
import type { ReadableRows } from './outcomes.ts';
import { countPairs } from './pair-counts.ts';
import type { PairFacts } from './pair-facts.ts';
import { refuseOtherKeys } from './refuse.ts';

type Side = ComparedSide & ReadableRows;

export interface StreamOptions {
  readonly a: Side;
  readonly b: Side;
  /** Bands of the jobs, for a side whose rows have none. */
  readonly bands: { readonly a: Bands; readonly b: Bands };
  readonly largest?: number;
  readonly signal: AbortSignal;
  /** Approximate number of rows of a side to hold at once. */
  readonly rowsAtOnce?: number;
}

/**
 * Rows of a side held at once. Every range reads the whole side, so there are at most sixteen, until a range reaches a million
 * rows, about 200 MB.
 */
function rangeRows(users: number): number {
  return Math.min(1_000_000, Math.max(250_000, Math.ceil(users / 16)));
}

/**
 * Compares two sides in different warehouses: reads both in the order of the key's hash and joins them. Memory is bounded:
 * eight bytes per user in both, and a range of each side. Equal differences among the largest are in hash order.
 *
 * @throws ScoreBatchError `configuration` if the keys of the sides differ, `conflict` if rows change meanwhile
 */
export async function compareStreams(options: StreamOptions): Promise<Comparison> {
  const { a, b, bands, largest = LARGEST, signal } = options;
  const rowsAtOnce = options.rowsAtOnce ?? rangeRows(Math.max(a.users, b.users));
  refuseOtherKeys({ name: a.facts.name, key: a.rows.key }, { name: b.facts.name, key: b.rows.key });
  const banded = async (side: Side, own: Bands): Promise<Side> => ({
    ...side,
    rows: await side.read((reader) => withBands(reader, side.rows, own)),
  });
  const [sideA, sideB] = [await banded(a, bands.a), await banded(b, bands.b)];
  const capacity = Math.min(a.users, b.users);
  const scores = { a: new Int32Array(capacity), b: new Int32Array(capacity) };
  const moves = new Map<string, { readonly from: string; readonly to: string; users: number }>();
  const top = new Top(largest);
  let size = 0;
  const seen = { a: 0, b: 0 };
  for await (const [one, other] of joined(inHashOrder(sideA, rowsAtOnce), inHashOrder(sideB, rowsAtOnce), seen)) {
    if (size % rowsAtOnce === 0) signal.throwIfAborted();
    scores.a[size] = one.millionths;
    scores.b[size] = other.millionths;
    size += 1;
    top.add(one, other);
    const name = JSON.stringify([one.band, other.band]);
    const move = moves.get(name) ?? { from: one.band, to: other.band, users: 0 };
    move.users += 1;
    moves.set(name, move);
  }
  for (const side of ['a', 'b'] as const) refuseChanged(options[side], seen[side]);
  const pairs: PairFacts = {
    ...countPairs({ size, ...scores }),
    moves: [...moves.values()],
    largest: await named(top.pairs, a),
  };
  return assemble({
    a: { facts: a.facts, distribution: await a.read((reader) => readDistribution(reader, a.rows)) },
    b: { facts: b.facts, distribution: await b.read((reader) => readDistribution(reader, b.rows)) },
    ...{ pairs, bands: bands.a },
  });
}

/** Yields pairs of users with the same hash. @param seen counts the users of each side */
async function* joined(
  a: AsyncGenerator<StreamedUser>,
  b: AsyncGenerator<StreamedUser>,
  seen: { a: number; b: number },
): AsyncGenerator<readonly [StreamedUser, StreamedUser]> {
  const next = async (stream: AsyncGenerator<StreamedUser>, side: 'a' | 'b') => {
    const { value, done } = await stream.next();
    if (done) return undefined;
    seen[side] += 1;
    return value;
  };
  let [one, other] = [await next(a, 'a'), await next(b, 'b')];
  while (one !== undefined || other !== undefined) {
    if (one !== undefined && one.hash === other?.hash) {
      yield [one, other];
      [one, other] = [await next(a, 'a'), await next(b, 'b')];
    } else if (other === undefined || (one !== undefined && one.hash < other.hash)) one = await next(a, 'a');
    else other = await next(b, 'b');
  }
}

interface Pair {
  readonly hash: string;
  readonly a: number;
  readonly b: number;
}

/** Collects the pairs with the largest differences. */
class Top {
  readonly #most: number;
  #pairs: Pair[] = [];
  #least = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add({ hash, millionths: a }: StreamedUser, { millionths: b }: StreamedUser): void {
    if (Math.abs(b - a) <= this.#least) return;
    this.#pairs.push({ hash, a, b });
    // Sort only occasionally, so that each pair costs little.
    if (this.#pairs.length < 2 * this.#most + 100) return;
    this.#pairs = this.pairs;
    const last = this.#pairs.at(-1);
    if (last !== undefined) this.#least = Math.abs(last.b - last.a);
  }

  get pairs(): Pair[] {
    const change = ({ a, b }: Pair) => Math.abs(b - a);
    return this.#pairs
      .sort((one, other) => change(other) - change(one) || (one.hash < other.hash ? -1 : 1))
      .slice(0, this.#most);
  }
}

async function named(pairs: readonly Pair[], side: Side): Promise<PairFacts['largest']> {
  const keys = await keysOf(
    side,
    pairs.map(({ hash }) => hash),
  );
  return pairs.map(({ hash, a, b }) => ({ key: keys.get(hash) ?? [], a, b }));
}

function refuseChanged({ facts: { name }, users }: Side, seen: number): void {
  if (seen === users) return;
  throw new ScoreBatchError('conflict', `the rows of ${name} changed while they were being read`, {
    hint: 'another run may have published the window; compare again',
  });
}
