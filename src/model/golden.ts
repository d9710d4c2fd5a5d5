import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { readBounded } from '../bounded-file.ts';
import type { ColumnValues, ReadKind } from '../domain/column-batch.ts';
import { featuresOf, type Signature } from '../domain/signature.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';
import { createEncoder, type Encoder } from '../features/encoder.ts';
import { readRejection } from '../features/rejection.ts';
import type { Bundle } from './bundle.ts';

/** The column of a golden file that holds the scores. */
export const EXPECTED = 'expected_score';

const HINT = 'a bundle has a golden.csv with inputs and expected scores';

/** Room for some 100,000 rows. Every run scores them, and more would prove nothing. */
const MAX_GOLDEN_BYTES = 64e6;

/** The golden rows of a bundle, encoded like the rows of a run. */
export interface Golden {
  readonly file: string;
  readonly rows: number;
  readonly inputs: ReturnType<Encoder['tensors']>;
  readonly expected: readonly number[];
}

/** @throws ScoreBatchError `configuration` if there are none, or a run would quarantine one of them */
export async function readGolden({ folder, definition, signature }: Bundle): Promise<Golden> {
  const file = path.join(folder, definition.golden.file);
  return parseGolden(signature, file, await readBounded(file, MAX_GOLDEN_BYTES, HINT));
}

/** Golden rows from the text of their file. @throws ScoreBatchError as `readGolden` */
export function parseGolden(signature: Signature, file: string, text: string | Buffer): Golden {
  const rows = parseRows(file, text);
  const inputs = encodeGolden(signature, rows, file).tensors(rows.length);
  return { file, rows: rows.length, inputs, expected: rows.map((cells) => Number(cells.get(EXPECTED) || Number.NaN)) };
}

/** A row's cells by column. An empty cell without quotes is null. A map, because a column may be called `constructor`. */
type Cells = ReadonlyMap<string, string | null>;

function encodeGolden(signature: Signature, rows: readonly Cells[], file: string): Encoder {
  const features = featuresOf(signature);
  const missing = [...features.map(({ feature }) => feature.name), EXPECTED].filter((name) => rows[0]?.has(name) === false);
  if (rows.length === 0 || missing.length > 0) {
    const what = rows.length === 0 ? 'has no rows' : `has no column ${missing.join(', ')}`;
    throw new ScoreBatchError('configuration', `${file} ${what}`, {
      hint: `a golden file needs a column for every feature, and ${EXPECTED}`,
    });
  }
  const encoder = createEncoder(signature, [], rows.length);
  const columns = features.map(({ feature }, i) =>
    toColumn(
      rows.map((row) => row.get(feature.name) ?? null),
      encoder.kinds[i] ?? 'string',
    ),
  );
  const rejected = new Int32Array(rows.length);
  encoder.encode({ rows: rows.length, columns }, 0, rejected);
  const bad = rejected.findIndex((code) => code !== 0);
  if (bad >= 0) {
    const { reason, feature } = readRejection(rejected[bad] ?? 0);
    throw new ScoreBatchError('configuration', `row ${bad + 1} of ${file} would be quarantined: ${reason}`, {
      hint: `check ${features[feature ?? 0]?.feature.name}: either the row or the rule in model.yaml is wrong`,
    });
  }
  return encoder;
}

function parseRows(file: string, text: string | Buffer): Cells[] {
  try {
    const [header = [], ...rows] = parse(text, {
      bom: true,
      skip_empty_lines: true,
      // DuckDB reads CSV files this way, and `model reference` writes them this way.
      cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
    }) as (string | null)[][];
    return rows.map((cells) => new Map(header.map((name, i) => [name ?? '', cells[i] ?? null])));
  } catch (cause) {
    // The parser's message may contain values from the file.
    const code = systemCode(cause) ?? 'it is not a valid CSV file';
    throw new ScoreBatchError('configuration', `the golden rows ${file} cannot be read (${code})`, { hint: HINT, cause });
  }
}

/** Converts texts of a CSV file. An empty number is null even in quotes, because some writers quote every cell. */
function toColumn(cells: readonly (string | null)[], kind: ReadKind): ColumnValues {
  if (kind === 'string') return { kind, values: cells, valid: undefined };
  const valid = new Uint8Array(Math.ceil(cells.length / 8));
  for (const [row, cell] of cells.entries()) if (cell) valid[row >> 3] = (valid[row >> 3] ?? 0) | (1 << (row & 7));
  const texts = cells.map((cell) => cell ?? '');
  const numbers = texts.map((cell) => (/^true$/i.test(cell) ? 1 : /^false$/i.test(cell) ? 0 : Number(cell)));
  switch (kind) {
    case 'int64':
      return { kind, values: BigInt64Array.from(texts, wholeNumber), valid };
    case 'bool':
      return { kind, values: Uint8Array.from(numbers), valid };
    case 'float32':
      return { kind, values: Float32Array.from(numbers), valid };
    case 'float64':
      return { kind, values: Float64Array.from(numbers), valid };
  }
}

/** Accepts `3`, and `3.0` as pandas writes a column with nulls. The error leaves out the text, which may be personal data. */
function wholeNumber(cell: string, row: number): bigint {
  if (/^-?\d*(?:\.0*)?$/.test(cell)) return BigInt(cell.replace(/\.0*$/, '') || 0);
  throw new ScoreBatchError('configuration', `golden row ${row + 1} has text where an int64 input takes a whole number`, {
    hint: 'fix the golden file, or the dtype in model.yaml',
  });
}
