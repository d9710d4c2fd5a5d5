import type { Classes, Signature } from '../domain/signature.ts';

/** The column of a golden file that holds the scores. */
export const EXPECTED = 'expected_score';

/** The column with the expected values of the signature's output. */
export function expectedColumn(signature: Signature): string {
  return expectedColumns(signature)[signature.classes === undefined ? 0 : signature.output.index] ?? EXPECTED;
}

/** The columns with all expected values: the score, or a probability per class in the order of the labels. */
export function expectedColumns({ classes }: { readonly classes?: Pick<Classes, 'labels'> }): readonly string[] {
  return classes === undefined ? [EXPECTED] : classes.labels.map((label) => `expected_${label}`);
}
