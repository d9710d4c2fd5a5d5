import type { Signature } from '../domain/signature.ts';
import type { InputTensor, Session } from '../runtime/session.ts';

/** The score of each row, as the signature says where it is. */
export async function scoresOf(
  session: Session,
  inputs: readonly InputTensor[],
  output: Signature['output'],
): Promise<number[]> {
  const { values, width } = await session.run(inputs, output);
  return Array.from({ length: values.length / width }, (_, row) => values[row * width + output.index] ?? Number.NaN);
}
