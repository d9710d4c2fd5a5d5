import { formatMicroseconds, type Microseconds, parseMicroseconds } from '../../domain/microseconds.ts';
import { ScoreBatchError } from '../../errors.ts';

/** What helps if a source cannot be read from its position on. */
export const SNAPSHOT = 'read all users once more with score-batch --slice --snapshot';

/**
 * A position that is an instant.
 *
 * @param table the change source, for messages
 * @throws ScoreBatchError `refused` for another position: the source was declared in another way then
 */
export function instantAt(position: string, table: string): Microseconds {
  const instant = parseMicroseconds(position);
  if (instant === undefined) throw otherKind(position, table);
  return instant;
}

/** A position that is a whole number. @throws ScoreBatchError as `instantAt` */
export function numberAt(position: string, table: string): bigint {
  if (!/^\d+$/.test(position)) throw otherKind(position, table);
  return BigInt(position);
}

function otherKind(position: string, table: string): ScoreBatchError {
  return new ScoreBatchError(
    'refused',
    `the change source ${table} was read up to ${position}, which is not a position of it now`,
    {
      details: ['it finds changes in another way than the slices before'],
      hint: SNAPSHOT,
    },
  );
}

/** Positions and limits as texts of one form sort as instants. */
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
