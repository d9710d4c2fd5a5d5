import { pickRows } from '../runtime/input-rows.ts';
import type { InputTensor } from '../runtime/session.ts';
import type { EarlierScores } from './earlier-scores.ts';
import { takeScores } from './outcome.ts';
import type { SkipKeys } from './skip-keys.ts';
import type { ChunkWorkspace } from './workspace.ts';

/** Consecutive rows of a slice's chunk. */
export interface Part {
  /** Receives millionths, one per row; unchanged for rejected rows. */
  readonly scores: Int32Array;
  /** One `Rejection` per row: the encoder's, to which those of scores are added. */
  readonly rejected: Int32Array;
  readonly skipKeys: SkipKeys;
  readonly earlier: EarlierScores | undefined;
}

/**
 * Scores the rows of a part whose skip keys are known. Rows that the encoder rejected are not passed to the model.
 *
 * @returns number of rows that keep their earlier score
 */
export async function scorePart(
  { setup, session }: Pick<ChunkWorkspace, 'setup' | 'session'>,
  inputs: readonly InputTensor[],
  { scores, rejected, skipKeys, earlier }: Part,
): Promise<number> {
  const { signature } = setup;
  const all = scores.length;
  const changed: number[] = [];
  let unchanged = 0;
  for (let row = 0; row < all; row += 1) {
    if (rejected[row] !== 0) continue;
    if (earlier !== undefined && isUnchanged(earlier, skipKeys, row)) {
      scores[row] = earlier.scores[row] as number;
      unchanged += 1;
    } else {
      changed.push(row);
    }
  }
  if (changed.length === 0) return unchanged;
  if (changed.length === all) {
    takeScores(await session.run(inputs, signature.output), signature, scores, rejected);
    return unchanged;
  }
  const result = await session.run(pickRows(inputs, changed), signature.output);
  const picked = { scores: new Int32Array(changed.length), rejected: new Int32Array(changed.length) };
  takeScores(result, signature, picked.scores, picked.rejected);
  for (const [i, row] of changed.entries()) {
    scores[row] = picked.scores[i] as number;
    rejected[row] = picked.rejected[i] as number;
  }
  return unchanged;
}

function isUnchanged({ skipKeys, scores }: EarlierScores, { high, low }: SkipKeys, row: number): boolean {
  return (scores[row] as number) >= 0 && skipKeys.high[row] === high[row] && skipKeys.low[row] === low[row];
}
