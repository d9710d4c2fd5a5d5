import { Buffer } from 'node:buffer';
import { isValid } from '../domain/column-batch.ts';
import type { AppendedColumn } from './append-columns.ts';

/**
 * Texts of `count` rows from `start` on. They are decoded all at once and cut where that is possible, which is where each
 * character is one byte.
 */
export function textValues(column: AppendedColumn, start: number, count: number): (string | null)[] {
  if (column.kind !== 'text') throw new TypeError('a column of text is expected');
  const { offsets, valid } = column;
  const first = offsets[start] as number;
  const bytes = Buffer.from(column.bytes.buffer, column.bytes.byteOffset, column.bytes.byteLength);
  const all = bytes.toString('utf8', first, offsets[start + count]);
  const cut = all.length === (offsets[start + count] as number) - first;
  return Array.from({ length: count }, (_, i) => {
    const row = start + i;
    if (!isValid(valid, row)) return null;
    const from = offsets[row] as number;
    const to = offsets[row + 1] as number;
    return cut ? all.substring(from - first, to - first) : bytes.toString('utf8', from, to);
  });
}
