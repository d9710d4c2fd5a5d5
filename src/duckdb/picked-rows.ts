import type { AppendedColumn } from './append-columns.ts';

/** Copies the values of some rows of a column. @param rows row numbers from 0 */
export function pickRows(column: AppendedColumn, rows: readonly number[]): AppendedColumn {
  const valid = column.valid && pickBits(column.valid, rows);
  if (column.kind === 'fixed') {
    const { width, bytes } = column;
    const picked = new Uint8Array(rows.length * width);
    for (const [i, row] of rows.entries()) picked.set(bytes.subarray(row * width, (row + 1) * width), i * width);
    return { kind: 'fixed', width, bytes: picked, valid };
  }
  const offsets = new Int32Array(rows.length + 1);
  const texts = rows.map((row, i) => {
    const text = column.bytes.subarray(column.offsets[row], column.offsets[row + 1]);
    offsets[i + 1] = (offsets[i] as number) + text.length;
    return text;
  });
  const bytes = new Uint8Array(offsets[rows.length] as number);
  for (const [i, text] of texts.entries()) bytes.set(text, offsets[i]);
  return { kind: 'text', offsets, bytes, valid };
}

function pickBits(bits: Uint8Array, rows: readonly number[]): Uint8Array {
  const picked = new Uint8Array(Math.ceil(rows.length / 8));
  for (const [i, row] of rows.entries()) {
    const bit = ((bits[row >> 3] as number) >> (row & 7)) & 1;
    picked[i >> 3] = (picked[i >> 3] as number) | (bit << (i & 7));
  }
  return picked;
}
