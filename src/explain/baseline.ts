import { createHash } from 'node:crypto';
import path from 'node:path';
import { readBounded } from '../bounded-file.ts';
import { featuresOf } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Bundle } from '../model/bundle.ts';
import { encodeRows, parseRows } from '../model/csv-rows.ts';
import type { InputTensor } from '../runtime/session.ts';

/** Each explained row is compared with every baseline row. More rows would cost time and change little. */
const MAX_ROWS = 100;

const MAX_BYTES = 8e6;

const HINT = '`score-batch model reference FOLDER --csv FILE --write` makes baseline.csv from rows of the training set';

/** Rows of the training set that scores are compared with to explain them. */
export interface Baseline {
  readonly file: string;
  /** SHA-256 of the file, hex. */
  readonly digest: string;
  /** 1 to 100. */
  readonly rows: number;
  /** Encoded like the rows of a run. */
  readonly inputs: readonly InputTensor[];
  /** Cells as written in the file, by feature in signature order; null for a missing value. */
  readonly cells: readonly (readonly (string | null)[])[];
}

/**
 * Reads the baseline rows that `baseline_rows` of `model.yaml` names.
 *
 * @throws ScoreBatchError `configuration` if it names none, the file is missing or has another digest, is not a CSV file, has no
 *   rows or more than 100, lacks a feature, or has a row that a run would quarantine
 */
export async function readBaseline({ folder, definition, signature }: Bundle): Promise<Baseline> {
  const stated = definition.baseline_rows;
  if (stated === undefined) {
    throw new ScoreBatchError('configuration', `${path.join(folder, 'model.yaml')} names no baseline rows`, {
      details: ['reasons compare each row with baseline rows'],
      hint: HINT,
    });
  }
  const file = path.join(folder, stated.file);
  const bytes = await readBounded(file, MAX_BYTES, HINT);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== stated.sha256) {
    throw new ScoreBatchError('configuration', `the digest of ${file} does not match model.yaml`, {
      details: [`model.yaml: ${stated.sha256}`, `${stated.file}: ${digest}`],
      hint: 'if you changed the baseline rows on purpose, set the new digest under baseline_rows in model.yaml',
    });
  }
  const source = { file, noun: 'baseline', hint: HINT };
  const rows = parseRows(bytes, source);
  if (rows.length > MAX_ROWS) {
    throw new ScoreBatchError('configuration', `${file} has ${rows.length} rows, but the limit is ${MAX_ROWS}`, {
      hint: `keep an even sample of ${MAX_ROWS} rows; \`score-batch model reference\` does`,
    });
  }
  return {
    file,
    digest,
    rows: rows.length,
    inputs: encodeRows(signature, rows, source).tensors(rows.length),
    cells: featuresOf(signature).map(({ feature }) => rows.map((row) => row.get(feature.name) ?? null)),
  };
}
