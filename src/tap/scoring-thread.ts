import { closeSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { parentPort } from 'node:worker_threads';
import { type ColumnValues, isValid } from '../domain/column-batch.ts';
import { duckdbError } from '../duckdb/errors.ts';
import type { Vector } from '../duckdb/vector.ts';
import { toParts } from '../error-parts.ts';
import { createEncoder, type Encoder } from '../features/encoder.ts';
import { createFeatureHasher } from '../features/hash.ts';
import { readRejection } from '../features/rejection.ts';
import { blockBytes, createBlock, rejectedOutcome, scoredOutcome } from '../outcomes/format.ts';
import { inBatches } from '../runtime/batches.ts';
import { pickRows } from '../runtime/input-rows.ts';
import type { InputTensor, Session } from '../runtime/session.ts';
import { openChosenModel } from '../score/chosen-model.ts';
import { takeScores } from '../score/outcome.ts';
import { registerSecretsOf } from '../secrets.ts';
import type { ScoringMessage, ScoringSetup, Worked } from './messages.ts';
import { receiveSetup } from './receive-setup.ts';
import { type Batch, readRing } from './ring.ts';

// Entry of a scoring worker's thread. It takes batches from the ring, scores them and writes the outcomes of their rows. It does
// not return to its event loop until the ring is empty or stopped.

/** Rows to encode at a time. Columns are written one after the other, and for this many rows the tensors stay in the cache. */
const TILE = 512;

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread');
registerSecretsOf(process.env);
const post = (message: ScoringMessage): void => port.postMessage(message);

// By default the thread would end during a call into a native library, which aborts the process.
process.on('uncaughtException', (error) => post({ type: 'failed', error: toParts(error) }));

const setup = await receiveSetup<ScoringSetup>(port);

try {
  if (setup !== undefined) post({ type: 'worked', worked: await work(setup) });
} catch (error) {
  post({ type: 'failed', error: toParts(error) });
} finally {
  port.close();
}

async function work(setup: ScoringSetup): Promise<Worked> {
  const { ring, signature, features } = setup;
  const { batchRows } = ring;
  const session = inBatches(await openChosenModel(setup), batchRows, { even: signature.classes !== undefined });
  const file = openSync(setup.outcomes, 'r+');
  const encoder = createEncoder(signature, features, batchRows);
  const hasher = createFeatureHasher();
  const block = createBlock(batchRows);
  const rejections = new Set<number>();
  const reader = readRing(ring);
  const { seconds, lap } = stopwatch(setup.began);
  let rows = 0;
  let reused = 0;
  let first: number | undefined;
  try {
    for (let batch = reader.take(); batch !== undefined; batch = reader.take()) {
      lap('wait');
      const rejected = new Int32Array(batch.rows);
      encodeBatch(setup, encoder, batch, rejected);
      const inputs = encoder.tensors(batch.rows);
      hasher.hash(inputs, rejected, batch.rows, block.words);
      const known = setup.reuses ? knownScores(setup, batch, block.words, rejected) : undefined;
      lap('encode');
      const scores = await scoreRows(setup, session, { inputs, known, rejected });
      first ??= Date.now();
      lap('score');
      block.outcomes.fill(0);
      for (let row = 0; row < batch.rows; row += 1) {
        const rejection = rejected[row] as number;
        if (rejection !== 0) {
          rejections.add(rejection);
          storeValue(setup, batch, rejection, row, block.words);
        }
        block.outcomes[row] = rejection === 0 ? scoredOutcome(scores[row] as number) : rejectedOutcome(rejection);
        if (known?.[row]) reused += 1;
      }
      rows += batch.rows;
      batch.free();
      writeWhole(setup, file, block.bytes, batch.sequence * blockBytes(batchRows));
      lap('write');
    }
    lap('wait');
  } finally {
    closeSync(file);
    await session.close();
  }
  const { halvedTo } = session;
  return {
    rows,
    reused,
    texts: encoder.texts(),
    rejections: [...rejections],
    seconds,
    first,
    ...(halvedTo !== undefined && { halvedTo }),
  };
}

function encodeBatch(setup: ScoringSetup, encoder: Encoder, { rows, columns }: Batch, rejected: Int32Array): void {
  for (let start = 0; start < rows; start += TILE) {
    const end = Math.min(rows, start + TILE);
    const tile = setup.kinds.map((kind, i) => valuesOf(kind, partOf(columns[i] as Vector, rows, start, end), end - start));
    encoder.encode({ rows: end - start, columns: tile }, start, rejected.subarray(start, end));
  }
}

/** Rows `start` to `end` of a column. @param start must be a multiple of eight */
function partOf({ bytes, valid }: Vector, rows: number, start: number, end: number): Vector {
  const width = bytes.length / rows;
  return { bytes: bytes.subarray(start * width, end * width), valid: valid?.subarray(start / 8) };
}

function valuesOf(kind: ColumnValues['kind'], { bytes, valid }: Vector, rows: number): ColumnValues {
  const { buffer, byteOffset } = bytes;
  switch (kind) {
    case 'float32':
      return { kind, values: new Float32Array(buffer, byteOffset, rows), valid };
    case 'float64':
      return { kind, values: new Float64Array(buffer, byteOffset, rows), valid };
    case 'int32':
    case 'category':
      return { kind, values: new Int32Array(buffer, byteOffset, rows), valid };
    case 'int64':
      return { kind, values: new BigInt64Array(buffer, byteOffset, rows), valid };
    case 'bool':
      return { kind, values: bytes, valid };
    case 'string':
      throw new TypeError('the ring cannot carry text');
  }
}

/** Earlier outcomes of rows whose features have not changed; 0 for other rows. */
function knownScores(setup: ScoringSetup, { rows, columns }: Batch, words: Uint32Array, rejected: Int32Array): Int32Array {
  const [outcomes, bits] = columns.slice(setup.kinds.length) as [Vector, Vector];
  const earlier = new Int32Array(outcomes.bytes.buffer, outcomes.bytes.byteOffset, rows);
  const hashes = new Uint32Array(bits.bytes.buffer, bits.bytes.byteOffset, 2 * rows);
  const known = new Int32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    if (rejected[row] !== 0 || !isValid(outcomes.valid, row)) continue;
    if (hashes[2 * row] === words[2 * row] && hashes[2 * row + 1] === words[2 * row + 1]) known[row] = earlier[row] as number;
  }
  return known;
}

interface EncodedBatch {
  readonly inputs: readonly InputTensor[];
  /** See `knownScores`. */
  readonly known: Int32Array | undefined;
  readonly rejected: Int32Array;
}

/** Scores in millionths. The model only runs on rows whose score is not known. */
async function scoreRows(
  setup: ScoringSetup,
  session: Session,
  { inputs, known, rejected }: EncodedBatch,
): Promise<Int32Array> {
  const { signature } = setup;
  const scores = new Int32Array(rejected.length);
  const unknown = known && [...known.keys()].filter((row) => known[row] === 0);
  if (known === undefined || unknown === undefined || unknown.length === rejected.length) {
    takeScores(await session.run(inputs, signature.output), signature, scores, rejected);
    return scores;
  }
  for (let row = 0; row < known.length; row += 1) scores[row] = (known[row] as number) - 1;
  if (unknown.length === 0) return scores;
  const result = await session.run(pickRows(inputs, unknown), signature.output);
  const picked = {
    scores: new Int32Array(unknown.length),
    rejected: Int32Array.from(unknown, (row) => rejected[row] as number),
  };
  takeScores(result, signature, picked.scores, picked.rejected);
  for (const [i, row] of unknown.entries()) {
    scores[row] = picked.scores[i] as number;
    rejected[row] = picked.rejected[i] as number;
  }
  return scores;
}

/** Stores the bits of a rejected value in place of the hash, if it is a number. Positional, because it runs per row. */
function storeValue(setup: ScoringSetup, { columns, rows }: Batch, code: number, row: number, words: Uint32Array): void {
  const { feature } = readRejection(code);
  const kind = feature === undefined ? undefined : setup.kinds[feature];
  if (feature === undefined || kind === undefined || kind === 'category') return;
  const { values } = valuesOf(kind, columns[feature] as Vector, rows);
  const bits = new DataView(new ArrayBuffer(8));
  const value = values[row];
  if (typeof value === 'bigint') bits.setBigInt64(0, value, true);
  else bits.setFloat64(0, Number(value), true);
  words[2 * row] = bits.getUint32(0, true);
  words[2 * row + 1] = bits.getUint32(4, true);
}

function writeWhole({ outcomes }: ScoringSetup, file: number, bytes: Uint8Array, position: number): void {
  try {
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(file, bytes, written, bytes.length - written, position + written);
    }
  } catch (error) {
    throw duckdbError(error, path.dirname(outcomes));
  }
}

/** @param began when scoring was requested, in milliseconds since the epoch */
function stopwatch(began: number) {
  let last = performance.now();
  // If the thread was still loading its code at that time, the rest of the loading counts as part of the start.
  const seconds = {
    start: Math.max(0, performance.timeOrigin + last - began) / 1000,
    wait: 0,
    encode: 0,
    score: 0,
    write: 0,
  };
  return {
    seconds,
    /** Adds the time since the last lap to one part of the work. */
    lap(part: keyof typeof seconds) {
      const now = performance.now();
      seconds[part] += (now - last) / 1000;
      last = now;
    },
  };
}
