import type { Signature } from '../domain/signature.ts';
import { inBatches } from '../runtime/batches.ts';
import { pickRows } from '../runtime/input-rows.ts';
import type { Session } from '../runtime/session.ts';
import type { Golden } from './golden.ts';

/** Rows that are scored to see how fast it goes: a batch of a slow model takes a hundredth of a second. */
const ROWS = 256;

/** Seconds that a session takes for a row, measured on one batch of golden rows, repeated as need be. */
export async function secondsPerRow(session: Session, { inputs, rows }: Golden, output: Signature['output']): Promise<number> {
  const batch = pickRows(
    inputs,
    Array.from({ length: ROWS }, (_, row) => row % rows),
  );
  const start = performance.now();
  await inBatches(session).run(batch, output);
  return (performance.now() - start) / 1000 / ROWS;
}
