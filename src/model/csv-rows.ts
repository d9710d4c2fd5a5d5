import { parse } from 'csv-parse/sync';
import type { ColumnBatch, ColumnValues, ReadKind } from '../domain/column-batch.ts';
import { featuresOf, type Signature } from '../domain/signature.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';
import { createEncoder, type Encoder } from '../features/encoder.ts';
import { readRejection } from '../features/rejection.ts';

/** A row's cells by column. An empty unquoted cell is null. A Map, because a column may be called `constructor`. */
export type Cells = ReadonlyMap<string, string | null>;

/** A CSV file of a bundle. */
export interface RowsFile {
  readonly file: string;
  /** Name of its rows in messages: `golden` */
  readonly noun: string;
  /** What to do if it cannot be read. */
  readonly hint: string;
}

/**
 * @param first how many rows to read; all by default
 * @throws ScoreBatchError `configuration` if the text is not a CSV file
 */
export function parseRows(text: string | Buffer, { file, noun, hint }: RowsFile, first?: number): Cells[] {
  try {
    const [header = [], ...rows] = parse(text, {
      bom: true,
      skip_empty_lines: true,
      ...(first !== undefined && { to: first + 1 }),
      // DuckDB reads CSV files this way, and `model reference` writes them this way.
      cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
    }) as (string | null)[][];
    return rows.map((cells) => new Map(header.map((name, i) => [name ?? '', cells[i] ?? null])));
  } catch (cause) {
    // The parser's message may contain values from the file.
    const code = systemCode(cause) ?? 'it is not a valid CSV file';
    throw new ScoreBatchError('configuration', `the ${noun} rows ${file} cannot be read (${code})`, { hint, cause });
  }
}

/**
 * Encodes rows like those of a run.
 *
 * @param columns further columns that the file must have
 * @throws ScoreBatchError `configuration` if there are none, a column is missing, or a run would quarantine one of them
 */
export function encodeRows(
  signature: Signature,
  rows: readonly Cells[],
  { file, noun }: RowsFile,
  columns: readonly string[] = [],
): Encoder {
  const features = featuresOf(signature);
  const missing = [...features.map(({ feature }) => feature.name), ...columns].filter((name) => rows[0]?.has(name) === false);
  if (rows.length === 0 || missing.length > 0) {
    const what = rows.length === 0 ? 'has no rows' : `has no column ${missing.join(', ')}`;
    throw new ScoreBatchError('configuration', `${file} ${what}`, {
      hint: `a ${noun} file needs a column for every feature${columns.length > 0 ? `, and ${columns.join(', ')}` : ''}`,
    });
  }
  const encoder = createEncoder(signature, [], rows.length);
  const rejected = new Int32Array(rows.length);
  encoder.encode(toBatch(signature, rows, encoder.kinds, noun), 0, rejected);
  const bad = rejected.findIndex((code) => code !== 0);
  if (bad >= 0) {
    const { reason, feature } = readRejection(rejected[bad] ?? 0);
    throw new ScoreBatchError('configuration', `row ${bad + 1} of ${file} would be quarantined: ${reason}`, {
      hint: `check ${features[feature ?? 0]?.feature.name}: either the row or the rule in model.yaml is wrong`,
    });
  }
  return encoder;
}

/**
 * The features of rows, column by column, as a table reader would return them.
 *
 * @param kinds of each feature's column; see `Encoder.kinds`
 * @param noun what the rows are called in messages
 * @throws ScoreBatchError `configuration` if a cell is not a value of its kind
 */
export function toBatch(signature: Signature, rows: readonly Cells[], kinds: readonly ReadKind[], noun: string): ColumnBatch {
  const columns = featuresOf(signature).map(({ feature }, i) =>
    toColumn(
      rows.map((row) => row.get(feature.name) ?? null),
      kinds[i] ?? 'string',
      noun,
    ),
  );
  return { rows: rows.length, columns };
}

/** Converts cells of a CSV file. An empty number is null even in quotes, because some writers quote every cell. */
function toColumn(cells: readonly (string | null)[], kind: ReadKind, noun: string): ColumnValues {
  if (kind === 'string') return { kind, values: cells, valid: undefined };
  const form = FORMS[kind];
  const bad = cells.findIndex((cell) => cell && !form.accepts(cell));
  if (bad >= 0) {
    // Do not quote the cell: it may be personal data.
    throw new ScoreBatchError('configuration', `${noun} row ${bad + 1} has text where ${form.wants}`, {
      hint: `fix the ${noun} file, or the dtype in model.yaml`,
    });
  }
  const valid = new Uint8Array(Math.ceil(cells.length / 8));
  for (const [row, cell] of cells.entries()) if (cell) valid[row >> 3] = (valid[row >> 3] ?? 0) | (1 << (row & 7));
  const texts = cells.map((cell) => cell ?? '');
  const numbers = texts.map((cell) => (/^true$/i.test(cell) ? 1 : /^false$/i.test(cell) ? 0 : Number(cell)));
  switch (kind) {
    case 'int64':
      return { kind, values: BigInt64Array.from(texts, (cell) => BigInt(cell.replace(/\.0*$/, '') || 0)), valid };
    case 'bool':
      return { kind, values: Uint8Array.from(numbers), valid };
    case 'float32':
      return { kind, values: Float32Array.from(numbers), valid };
    case 'float64':
      return { kind, values: Float64Array.from(numbers), valid };
  }
}

interface Form {
  readonly accepts: (cell: string) => boolean;
  /** Completes the message's sentence. */
  readonly wants: string;
}

const NUMBER: Form = {
  accepts: (cell) => /^(nan|true|false)$/i.test(cell.trim()) || !Number.isNaN(Number(cell)),
  wants: 'an input takes a number',
};

const FORMS: Readonly<Record<Exclude<ReadKind, 'string'>, Form>> = {
  // `3`, and `3.0` as pandas writes a column with nulls.
  int64: { accepts: (cell) => /^-?\d+(?:\.0*)?$/.test(cell), wants: 'an int64 input takes a whole number' },
  bool: { accepts: (cell) => /^(true|false|[01](\.0*)?)$/i.test(cell), wants: 'a bool input takes true or false' },
  float32: NUMBER,
  float64: NUMBER,
};
