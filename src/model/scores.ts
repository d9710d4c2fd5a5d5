import type { Signature } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import type { InputTensor, Session } from '../runtime/session.ts';

/** The score of each row, from the output and index of the signature. */
export async function scoresOf(
  session: Session,
  inputs: readonly InputTensor[],
  output: Signature['output'],
): Promise<number[]> {
  const { values, width } = await session.run(inputs, output);
  return Array.from({ length: values.length / width }, (_, row) => values[row * width + output.index] ?? Number.NaN);
}

/**
 * Values to compare with golden rows: the score, or for a bundle with classes, row-major, the probabilities of all classes.
 *
 * @throws ScoreBatchError `configuration` if a row has more or fewer probabilities than the bundle has classes
 */
export async function goldenValues(
  session: Session,
  inputs: readonly InputTensor[],
  { output, classes }: Signature,
): Promise<number[]> {
  if (classes === undefined) return await scoresOf(session, inputs, output);
  const { values, width } = await session.run(inputs, output);
  if (width !== classes.labels.length) {
    throw new ScoreBatchError(
      'configuration',
      `the output ${output.name} has ${width} values per row, but model.yaml has ${classes.labels.length} labels`,
      { hint: 'name every class of the model under output.labels, in the order of its probabilities' },
    );
  }
  return Array.from(values);
}

/** Row and class of a position among golden values: `row 3`, `setosa of row 3`. */
export function placeName({ classes }: Pick<Signature, 'classes'>, place: number): string {
  const width = classes?.labels.length ?? 1;
  const row = `row ${Math.floor(place / width) + 1}`;
  return classes === undefined ? row : `${classes.labels[place % width]} of ${row}`;
}
