import type { Signature } from '../domain/signature.ts';
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
