import { randomBytes } from 'node:crypto';
import type { Database } from '../duckdb/database.ts';
import { type FunctionResult, registerFunction } from '../duckdb/function.ts';
import type { Vector } from '../duckdb/vector.ts';
import type { OutcomeReader } from './reader.ts';

/** Names of SQL functions of a row's ordinal, an INTEGER column without nulls. */
export interface OutcomeFunctions {
  /** The score as DECIMAL(7, 6); null where the row was rejected. */
  readonly score: string;
  /** Rejection of the row (see `Rejection`); 0 where it was scored, null where there is no outcome. */
  readonly rejected: string;
  /** What was rejected, as a number; only where a number was. */
  readonly double: string;
  /** What was rejected, as a whole number of 64 bits; only where one was. */
  readonly integer: string;
  /** The outcome as it is kept: see `Outcome`. */
  readonly outcome: string;
  /** The bits beside it: see `Block`. */
  readonly bits: string;
}

/** Makes outcomes part of what a database can ask for. They are looked up on this thread. */
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
  registerFunction(database, names.score, ['INTEGER'], 'score', (rows, inputs, result) => {
    const [ordinals, values] = int32(inputs, result, rows);
    for (let row = 0; row < rows; row += 1) {
      const outcome = reader.outcome(ordinals[row] as number);
      if (outcome > 0) values[row] = outcome - 1;
      else setNull(result, row);
    }
  });
  registerFunction(database, names.rejected, ['INTEGER'], 'INTEGER', (rows, inputs, result) => {
    const [ordinals, values] = int32(inputs, result, rows);
    for (let row = 0; row < rows; row += 1) {
      const outcome = reader.outcome(ordinals[row] as number);
      if (outcome === 0) setNull(result, row);
      else values[row] = outcome > 0 ? 0 : -outcome;
    }
  });
  registerFunction(database, names.outcome, ['INTEGER'], 'INTEGER', (rows, inputs, result) => {
    const [ordinals, values] = int32(inputs, result, rows);
    for (let row = 0; row < rows; row += 1) values[row] = reader.outcome(ordinals[row] as number);
  });
  for (const [words, type] of [
    [names.bits, 'BIGINT'],
    [names.integer, 'BIGINT'],
    [names.double, 'DOUBLE'],
  ] as const) {
    registerFunction(database, words, ['INTEGER'], type, (rows, inputs, result) => {
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

function setNull(result: FunctionResult, row: number): void {
  if (!result.nulls) result.valid.fill(255);
  result.nulls = true;
  result.valid[row >> 3] = (result.valid[row >> 3] as number) & ~(1 << (row & 7));
}
