import path from 'node:path';
import { readBounded } from '../bounded-file.ts';
import type { ColumnBatch, ReadKind } from '../domain/column-batch.ts';
import type { Classes, Signature } from '../domain/signature.ts';
import type { Encoder } from '../features/encoder.ts';
import type { Bundle } from './bundle.ts';
import { type Cells, encodeRows, parseRows, toBatch } from './csv-rows.ts';

/** The column of a golden file that holds the scores. */
export const EXPECTED = 'expected_score';

const HINT = 'a bundle has a golden.csv with inputs and expected scores';

/** Room for some 100,000 rows. Every run scores them, and more would prove nothing. */
const MAX_GOLDEN_BYTES = 64e6;

/** The column with the expected values of the signature's output. */
export function expectedColumn(signature: Signature): string {
  return expectedColumns(signature)[signature.classes === undefined ? 0 : signature.output.index] ?? EXPECTED;
}

/** The columns with all expected values: the score, or a probability per class in the order of the labels. */
export function expectedColumns({ classes }: { readonly classes?: Pick<Classes, 'labels'> }): readonly string[] {
  return classes === undefined ? [EXPECTED] : classes.labels.map((label) => `expected_${label}`);
}

/** The golden rows of a bundle, encoded like the rows of a run. */
export interface Golden {
  readonly file: string;
  readonly rows: number;
  readonly inputs: ReturnType<Encoder['tensors']>;
  /** The expected score of each row, or for a bundle with classes, row-major, the probabilities of all classes. */
  readonly expected: readonly number[];
}

/** @throws ScoreBatchError `configuration` if there are none, or a run would quarantine one of them */
export async function readGolden({ folder, definition, signature }: Bundle): Promise<Golden> {
  const file = path.join(folder, definition.golden.file);
  return parseGolden(signature, file, await readBounded(file, MAX_GOLDEN_BYTES, HINT));
}

/**
 * The cells of the first golden rows.
 *
 * @throws ScoreBatchError `configuration` if the file cannot be read
 */
export async function readGoldenCells({ folder, definition }: Bundle, rows?: number): Promise<Cells[]> {
  const file = path.join(folder, definition.golden.file);
  const source = { file, noun: 'golden', hint: HINT };
  return parseRows(await readBounded(file, MAX_GOLDEN_BYTES, HINT), source, rows);
}

/**
 * The golden rows before encoding, as a table reader would return them.
 *
 * @param kinds see `Encoder.kinds`
 * @throws ScoreBatchError `configuration` if the file cannot be read, or a cell is not a value of its kind
 */
export async function readGoldenBatch(bundle: Bundle, kinds: readonly ReadKind[]): Promise<ColumnBatch> {
  return toBatch(bundle.signature, await readGoldenCells(bundle), kinds, 'golden');
}

/** Parses golden rows from their file's text. @throws ScoreBatchError as `readGolden` */
export function parseGolden(signature: Signature, file: string, text: string | Buffer): Golden {
  const source = { file, noun: 'golden', hint: HINT };
  const rows = parseRows(text, source);
  const columns = expectedColumns(signature);
  const inputs = encodeRows(signature, rows, source, columns).tensors(rows.length);
  const expected = rows.flatMap((cells) => columns.map((column) => Number(cells.get(column) || Number.NaN)));
  return { file, rows: rows.length, inputs, expected };
}
