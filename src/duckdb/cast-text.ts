import { Buffer } from 'node:buffer';
import { isValid } from '../domain/column-batch.ts';
import type { AppendedColumn } from './append-columns.ts';

/**
 * Strings of `count` rows from `start` on. If each character is one byte, decodes all of them at once and then splits the
 * result.
 */
export function textValues(column: AppendedColumn, start: number, count: number): (string | null)[] {
  if (column.kind !== 'text') throw new TypeError('expected a text column');
  const { offsets, valid } = column;
  const first = offsets[start] as number;
  const bytes = Buffer.from(column.bytes.buffer, column.bytes.byteOffset, column.bytes.byteLength);
  const all = bytes.toString('utf8', first, offsets[start + count]);
  const splits = all.length === (offsets[start + count] as number) - first;
  return Array.from({ length: count }, (_, i) => {
    const row = start + i;
    if (!isValid(valid, row)) return null;
    const from = offsets[row] as number;
    const to = offsets[row + 1] as number;
    return splits ? all.substring(from - first, to - first) : bytes.toString('utf8', from, to);
  });
}
