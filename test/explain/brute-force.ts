import type { TreeModel } from '../../src/explain/tree-ensemble.ts';

/** The raw output of a row, node by node. @param row all features of the signature */
export function rawOutput({ nodes, values, base, columns, rounds }: TreeModel, row: readonly number[]): number {
  const { less, equal, greater, missing } = nodes.branches;
  let sum = base;
  for (const { root } of nodes.trees) {
    let at = root;
    while (less[at] !== at) {
      const given = row[columns[nodes.features[at] ?? 0] ?? 0] ?? Number.NaN;
      const value = rounds ? Math.fround(given) : given;
      const threshold = nodes.thresholds[at] ?? 0;
      const branch = Number.isNaN(value) ? missing : value < threshold ? less : value === threshold ? equal : greater;
      at = branch[at] ?? at;
    }
    sum += values[at] ?? 0;
  }
  return sum;
}

/**
 * Shapley values by their definition: for each set of features, the mean output over the background with the set's features of
 * `row`. Doubles with each feature.
 */
export function bruteForce(
  score: (row: readonly number[]) => number,
  row: readonly number[],
  background: readonly (readonly number[])[],
): number[] {
  const width = row.length;
  const worth = Array.from({ length: 2 ** width }, (_, set) => {
    const sum = background.reduce(
      (all, other) => all + score(row.map((own, j) => ((set >> j) & 1 ? own : (other[j] ?? own)))),
      0,
    );
    return sum / background.length;
  });
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  return row.map((_, j) =>
    worth.reduce((sum, without, set) => {
      if ((set >> j) & 1) return sum;
      const size = set.toString(2).replaceAll('0', '').length;
      const weight = (factorial(size) * factorial(width - size - 1)) / factorial(width);
      return sum + weight * ((worth[set | (1 << j)] ?? 0) - without);
    }, 0),
  );
}
