import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { readBounded } from '../bounded-file.ts';
import type { ColumnKind, ColumnValues } from '../domain/column-batch.ts';
import { featuresOf, type Signature } from '../domain/signature.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';
import { createEncoder, type Encoder } from '../features/encoder.ts';
import { readRejection } from '../features/rejection.ts';
import type { Bundle } from './bundle.ts';

const EXPECTED = 'expected_score';

/** Some 100,000 rows: more prove nothing more, and every run scores them. */
const MOST_GOLDEN_BYTES = 64e6;

/** The golden rows of a bundle, encoded as a run encodes its rows. */
export interface Golden {
  readonly file: string;
  readonly rows: number;
  readonly inputs: ReturnType<Encoder['tensors']>;
  readonly expected: readonly number[];
}

/** @throws ScoreBatchError `configuration` where there are none, or one of them would not be scored */
export async function readGolden({ folder, definition, signature }: Bundle): Promise<Golden> {
  const file = path.join(folder, definition.golden.file);
  const rows = await readRows(file);
  const inputs = encodeGolden(signature, rows, file).tensors(rows.length);
  return { file, rows: rows.length, inputs, expected: rows.map((cells) => Number(cells.get(EXPECTED))) };
}

function encodeGolden(signature: Signature, rows: readonly GoldenRow[], file: string): Encoder {
  const features = featuresOf(signature);
  const missing = [...features.map(({ feature }) => feature.name), EXPECTED].filter((name) => rows[0]?.has(name) === false);
  if (rows.length === 0 || missing.length > 0) {
    const what = rows.length === 0 ? 'holds no rows' : `has no column ${missing.join(', ')}`;
    throw new ScoreBatchError('configuration', `${file} ${what}`, { hint: `a golden file has every feature and ${EXPECTED}` });
  }
  const encoder = createEncoder(signature, [], rows.length);
  const columns = features.map(({ feature }, i) =>
    toColumn(
      rows.map((row) => row.get(feature.name) ?? ''),
      encoder.kinds[i] ?? 'string',
    ),
  );
  const rejected = new Int32Array(rows.length);
  encoder.encode({ rows: rows.length, columns }, 0, rejected);
  const bad = rejected.findIndex((code) => code !== 0);
  if (bad >= 0) {
    const { reason, feature } = readRejection(rejected[bad] ?? 0);
    throw new ScoreBatchError('configuration', `row ${bad + 1} of ${file} would be quarantined: ${reason}`, {
      hint: `look at ${features[feature ?? 0]?.feature.name}: either the row or the rule in model.yaml is wrong`,
    });
  }
  return encoder;
}

/** Cells by column: a map, because a column may be called like something that every object has. */
type GoldenRow = ReadonlyMap<string, string>;

async function readRows(file: string): Promise<GoldenRow[]> {
  const hint = 'a bundle has a golden.csv with inputs and expected scores';
  const text = await readBounded(file, MOST_GOLDEN_BYTES, hint);
  try {
    const [header = [], ...rows] = parse(text, { bom: true, skip_empty_lines: true }) as string[][];
    return rows.map((cells) => new Map(header.map((name, i) => [name, cells[i] ?? ''])));
  } catch (cause) {
    // The parser's message may hold what stands in the file.
    const code = systemCode(cause) ?? 'it is no CSV';
    throw new ScoreBatchError('configuration', `the golden rows ${file} cannot be read (${code})`, { hint, cause });
  }
}

/** Text of a CSV as a column; an empty cell is a null. */
function toColumn(cells: readonly string[], kind: ColumnKind): ColumnValues {
  if (kind === 'string') return { kind, values: cells.map((cell) => (cell === '' ? null : cell)), valid: undefined };
  const valid = new Uint8Array(Math.ceil(cells.length / 8));
  for (const [row, cell] of cells.entries()) if (cell !== '') valid[row >> 3] = (valid[row >> 3] ?? 0) | (1 << (row & 7));
  const numbers = cells.map((cell) => (cell === 'true' ? 1 : cell === 'false' ? 0 : Number(cell)));
  switch (kind) {
    case 'int64':
      return { kind, values: BigInt64Array.from(cells, wholeNumber), valid };
    case 'bool':
      return { kind, values: Uint8Array.from(numbers), valid };
    case 'float32':
      return { kind, values: Float32Array.from(numbers), valid };
    case 'float64':
      return { kind, values: Float64Array.from(numbers), valid };
  }
}

/** `3` and, as pandas writes a column with nulls, `3.0`. What stands there instead is not shown: it may be a customer's. */
function wholeNumber(cell: string, row: number): bigint {
  if (/^-?\d*(?:\.0*)?$/.test(cell)) return BigInt(cell.replace(/\.0*$/, '') || 0);
  throw new ScoreBatchError('configuration', `golden row ${row + 1} has text where an int64 input takes a whole number`, {
    hint: 'mend the golden file, or the dtype in model.yaml',
  });
}
