// Every measure in the plainest way, from all rows at once. Scores are whole millionths.

export interface User {
  readonly key: readonly (string | number)[];
  readonly score: number;
}

export interface Pair {
  readonly a: User;
  readonly b: User;
}

const PERCENTS = [1, 5, 25, 50, 75, 95, 99];

export function pairsOf(a: readonly User[], b: readonly User[]): Pair[] {
  const others = new Map(b.map((user) => [JSON.stringify(user.key), user]));
  return a.flatMap((one) => {
    const other = others.get(JSON.stringify(one.key));
    return other === undefined ? [] : [{ a: one, b: other }];
  });
}

/** The value at place ⌈n · share⌉ of the sorted values, as NumPy's `inverted_cdf`. */
export function quantiles(values: readonly number[]): { share: number; value: number }[] {
  const sorted = [...values].sort((one, other) => one - other);
  return PERCENTS.map((percent) => ({
    share: percent / 100,
    value: (sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN) / 1e6,
  }));
}

/** Pearson's correlation of mean ranks, each found by counting all others. */
export function spearman(pairs: readonly Pair[]): number {
  const ranks = (values: readonly number[]) =>
    values.map(
      (value) => values.filter((other) => other < value).length + (values.filter((other) => other === value).length + 1) / 2,
    );
  const [one, other] = [ranks(pairs.map(({ a }) => a.score)), ranks(pairs.map(({ b }) => b.score))];
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [m, n] = [mean(one), mean(other)];
  const sum = (term: (i: number) => number) => one.reduce((total, _, i) => total + term(i), 0);
  return (
    sum((i) => ((one[i] ?? 0) - m) * ((other[i] ?? 0) - n)) /
    Math.sqrt(sum((i) => ((one[i] ?? 0) - m) ** 2) * sum((i) => ((other[i] ?? 0) - n) ** 2))
  );
}

/** Each user's share in the riskiest tenth on either side, the smaller of both, summed up. */
export function topDecileOverlap(pairs: readonly Pair[]): number {
  const tenth = Math.ceil(pairs.length / 10);
  const weight = (scores: readonly number[]) => (score: number) => {
    const above = scores.filter((other) => other > score).length;
    const tied = scores.filter((other) => other === score).length;
    return Math.min(1, Math.max(0, (tenth - above) / tied));
  };
  const [ofA, ofB] = [weight(pairs.map(({ a }) => a.score)), weight(pairs.map(({ b }) => b.score))];
  return pairs.reduce((sum, { a, b }) => sum + Math.min(ofA(a.score), ofB(b.score)), 0) / tenth;
}

/** Bands by share of all users of a side: by score, then by key. */
export function bandsByShare(
  users: readonly User[],
  bounds: readonly { readonly name: string; readonly share: number }[],
  rest: string,
): Map<string, string> {
  const order = [...users].sort((one, other) => other.score - one.score || compareKeys(one.key, other.key));
  return new Map(
    order.map(({ key }, i) => [JSON.stringify(key), bounds.find(({ share }) => i < users.length * share - 1e-9)?.name ?? rest]),
  );
}

export function compareKeys(one: User['key'], other: User['key']): number {
  for (const [i, part] of one.entries()) {
    const against = other[i] ?? 0;
    if (part === against) continue;
    if (typeof part === 'number') return part - Number(against);
    return Buffer.compare(Buffer.from(part), Buffer.from(String(against)));
  }
  return 0;
}
