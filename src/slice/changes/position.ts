import { formatMicroseconds, type Microseconds, parseMicroseconds } from '../../domain/microseconds.ts';
import { ScoreBatchError } from '../../errors.ts';

/** What to do if a source cannot be read from its position on. */
export const SNAPSHOT = 'score all users again with `score-batch --slice --snapshot`';

/**
 * A position as an instant.
 *
 * @param table the change source, for messages
 * @throws ScoreBatchError `refused` if it is none: the source was declared in another way at the time
 */
export function instantAt(position: string, table: string): Microseconds {
  const instant = parseMicroseconds(position);
  if (instant === undefined) throw otherKind(position, table);
  return instant;
}

/** A position as an integer. @throws ScoreBatchError as `instantAt` */
export function numberAt(position: string, table: string): bigint {
  if (!/^\d+$/.test(position)) throw otherKind(position, table);
  return BigInt(position);
}

function otherKind(position: string, table: string): ScoreBatchError {
  return new ScoreBatchError(
    'refused',
    `the change source ${table} was read up to ${position}, which is no longer a valid position`,
    {
      details: ['it finds changes in a different way than earlier slices did'],
      hint: SNAPSHOT,
    },
  );
}

/** Positions and limits have the same form, so they sort as strings. */
export function earliest(...instants: readonly (string | undefined)[]): string {
  return present(instants)[0] ?? '';
}

export function latest(...instants: readonly (string | undefined)[]): string {
  return present(instants).at(-1) ?? '';
}

function present(instants: readonly (string | undefined)[]): string[] {
  return instants
    .flatMap((instant) => (instant === undefined ? [] : formatMicroseconds(parseMicroseconds(instant) ?? 0n)))
    .sort();
}
