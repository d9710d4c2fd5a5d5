import { randomBytes } from 'node:crypto';
import type { Database } from '../duckdb/database.ts';
import { type FunctionResult, registerFunction } from '../duckdb/function.ts';
import type { Vector } from '../duckdb/vector.ts';
import type { OutcomeReader } from './reader.ts';

/** Names of SQL functions that take a row's ordinal, an INTEGER column without nulls. */
export interface OutcomeFunctions {
  /** The score as DECIMAL(7, 6); null if the row was rejected. */
  readonly score: string;
  /** The row's `Rejection`; 0 if it was scored, null if there is no outcome. */
  readonly rejected: string;
  /** The rejected value as a double; only meaningful if it is one. */
  readonly double: string;
  /** The rejected value as a 64-bit integer; only meaningful if it is one. */
  readonly integer: string;
  /** The stored `Outcome`. */
  readonly outcome: string;
  /** The eight bytes stored with the outcome; see `Block`. */
  readonly bits: string;
}

/** Registers functions that look up outcomes, for SQL in this database. They run on this thread. */
export function registerOutcomes(database: Database, reader: OutcomeReader): OutcomeFunctions {
  const suffix = randomBytes(6).toString('hex');
  const name = (what: string) => `score_batch_${what}_${suffix}`;
  const names = {
    score: name('score'),
    rejected: name('rejected'),
    double: name('double'),
    integer: name('integer'),
    outcome: name('outcome'),
    bits: name('bits'),
  };
  const parameters = ['INTEGER'] as const;
  registerFunction(database, { name: names.score, parameters, returns: 'score' }, (rows, inputs, result) => {
    const [ordinals, values] = int32(inputs, result, rows);
    for (let row = 0; row < rows; row += 1) {
      const outcome = reader.outcome(ordinals[row] as number);
      if (outcome > 0) values[row] = outcome - 1;
      else markNull(result, row);
    }
  });
  registerFunction(database, { name: names.rejected, parameters, returns: 'INTEGER' }, (rows, inputs, result) => {
    const [ordinals, values] = int32(inputs, result, rows);
    for (let row = 0; row < rows; row += 1) {
      const outcome = reader.outcome(ordinals[row] as number);
      if (outcome === 0) markNull(result, row);
      else values[row] = outcome > 0 ? 0 : -outcome;
    }
  });
  registerFunction(database, { name: names.outcome, parameters, returns: 'INTEGER' }, (rows, inputs, result) => {
    const [ordinals, values] = int32(inputs, result, rows);
    for (let row = 0; row < rows; row += 1) values[row] = reader.outcome(ordinals[row] as number);
  });
  for (const [words, returns] of [
    [names.bits, 'BIGINT'],
    [names.integer, 'BIGINT'],
    [names.double, 'DOUBLE'],
  ] as const) {
    registerFunction(database, { name: words, parameters, returns }, (rows, inputs, result) => {
      const [ordinals] = int32(inputs, result, rows);
      const values = new Uint32Array(result.bytes.buffer as ArrayBuffer);
      for (let row = 0; row < rows; row += 1) reader.words(ordinals[row] as number, values, 2 * row);
    });
  }
  return names;
}

function int32([ordinals]: readonly Vector[], result: FunctionResult, rows: number): [Int32Array, Int32Array] {
  const { buffer, byteOffset } = ordinals?.bytes ?? new Uint8Array();
  return [new Int32Array(buffer as ArrayBuffer, byteOffset, rows), new Int32Array(result.bytes.buffer as ArrayBuffer)];
}

function markNull(result: FunctionResult, row: number): void {
  if (!result.nulls) result.valid.fill(255);
  result.nulls = true;
  result.valid[row >> 3] = (result.valid[row >> 3] as number) & ~(1 << (row & 7));
}
