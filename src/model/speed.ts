import type { Signature } from '../domain/signature.ts';
import { inBatches } from '../runtime/batches.ts';
import { pickRows } from '../runtime/input-rows.ts';
import type { Session } from '../runtime/session.ts';
import type { Golden } from './golden.ts';

/** Rows to time: a slow model takes a hundredth of a second for this many. */
const ROWS = 256;

/** Seconds per row of a session, measured on one batch of golden rows, repeated to fill it. */
export async function secondsPerRow(session: Session, { inputs, rows }: Golden, output: Signature['output']): Promise<number> {
  const batch = pickRows(
    inputs,
    Array.from({ length: ROWS }, (_, row) => row % rows),
  );
  const start = performance.now();
  await inBatches(session).run(batch, output);
  return (performance.now() - start) / 1000 / ROWS;
}
