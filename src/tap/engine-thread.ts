import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parentPort } from 'node:worker_threads';
import { stagedKey } from '../domain/staged-columns.ts';
import { appendInt32 } from '../duckdb/append.ts';
import type { Database } from '../duckdb/database.ts';
import { duckdbError, featureError } from '../duckdb/errors.ts';
import { filesIn } from '../duckdb/files.ts';
import { registerFunction } from '../duckdb/function.ts';
import { BUILT_IN, parquetScan } from '../duckdb/sql.ts';
import type { Vector } from '../duckdb/vector.ts';
import { toParts } from '../error-parts.ts';
import { ORDINAL, REPEATED, ROWS } from '../outcomes/folder.ts';
import { registerOutcomes } from '../outcomes/functions.ts';
import { openOutcomes } from '../outcomes/reader.ts';
import { queryError } from '../warehouse/duckdb/errors.ts';
import { openFile } from '../warehouse/duckdb/file.ts';
import { noteReading } from '../warehouse/duckdb/readers.ts';
import type { EngineMessage, EngineSetup, Entered } from './messages.ts';
import { receiveSetup } from './receive-setup.ts';
import { isStopped, RingStopped, writeRing } from './ring.ts';
import { createSeenKeys, KEY_BITS, type SeenKeys } from './seen-keys.ts';
import { copyRepeated, newFunctionName, tapParameters, tapStatement } from './statement.ts';

// Entry of the engine's thread. It runs DuckDB and the SQL function that puts rows into the ring. The function blocks this thread
// while the ring is full; the main thread never blocks.

/** Memory per suspected key. 200 MiB were enough to count ten million keys at once, and too little for a hundred million. */
const BYTES_PER_KEY = 12;

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread');
const post = (message: EngineMessage): void => port.postMessage(message);
// By default the thread would end during a call into a native library, which aborts the process.
process.on('uncaughtException', (error) => post({ type: 'failed', error: toParts(error) }));
const setup = await receiveSetup<EngineSetup>(port);
const stopping = new AbortController();
port.on('message', () => stopping.abort(new RingStopped()));
try {
  if (setup !== undefined) post({ type: 'entered', entered: await readWindow(setup) });
} catch (error) {
  post({ type: 'failed', error: toParts(error) });
} finally {
  port.close();
}

/** Runs the query once, then closes the database file. */
async function readWindow(setup: EngineSetup): Promise<Entered> {
  const { session } = setup;
  await using database = await openFile({ ...session, signal: stopping.signal }, 'read');
  const done = await noteReading(session, setup.seconds);
  try {
    return await readRows(database, setup);
  } catch (error) {
    if (isStopped(setup.ring)) throw new RingStopped();
    const casts = setup.columns.some(({ kind }) => kind === 'int64');
    throw queryError(casts ? featureError(error, 'the window') : duckdbError(error, session.scratch), session.name);
  } finally {
    await done();
  }
}

async function readRows(database: Database, setup: EngineSetup): Promise<Entered> {
  const { ring, columns, earlier } = setup;
  const writer = writeRing(ring);
  const keys = createSeenKeys();
  const reuses = earlier.length > 0;
  const tap = newFunctionName('tap');
  const hashAt = columns.length;
  const parameters = tapParameters(columns, reuses);
  registerFunction(database, { name: tap, parameters, returns: 'INTEGER' }, (rows, inputs, result) => {
    const hashes = inputs[hashAt] as Vector;
    keys.see(new Uint32Array(hashes.bytes.buffer as ArrayBuffer, hashes.bytes.byteOffset, 2 * rows), rows);
    const first = writer.put(rows, reuses ? [...inputs.slice(0, hashAt), ...inputs.slice(hashAt + 1)] : inputs);
    const ordinals = new Int32Array(result.bytes.buffer as ArrayBuffer);
    for (let row = 0; row < rows; row += 1) ordinals[row] = first + row;
  });
  const relations = earlier.map(({ files, outcomes, batchRows }) => {
    const { outcome, bits } = registerOutcomes(database, openOutcomes(outcomes, batchRows));
    return `(SELECT *, ${outcome}(${ORDINAL}) AS outcome, ${bits}(${ORDINAL}) AS bits FROM ${parquetScan(files)})`;
  });
  // The order of rows does not matter, and preserving it would buffer whole row groups in memory.
  await database.run('SET preserve_insertion_order = false');
  const [copied] = await database.rows(tapStatement(setup, tap, relations), setup.session.values);
  const entered = writer.end();
  if (entered !== Number(copied?.[0])) throw new Error(`the ring got ${entered} rows, but ${copied?.[0]} were written`);
  const files = await filesIn(path.join(setup.folder, ROWS));
  return {
    rows: entered,
    checksum: keys.checksum,
    duplicates: await findRepeated(database, keys, files, setup),
    nullKeys: await countNullKeys(database, files, setup),
  };
}

/**
 * Writes the keys that occur more than once to files, and counts them. Only looks at keys whose hash bit repeats, in as many
 * passes as memory requires.
 */
async function findRepeated(database: Database, keys: SeenKeys, files: readonly string[], setup: EngineSetup): Promise<number> {
  if (keys.suspects === 0) return 0;
  const repeated = path.join(setup.folder, REPEATED);
  await mkdir(repeated);
  const copy = async (pass: number, isSuspect: (hash: string) => string): Promise<number> => {
    const [copied] = await database.rows(copyRepeated(files, setup, isSuspect, path.join(repeated, `${pass}.parquet`)));
    return Number(copied?.[0]);
  };
  if (keys.bits !== undefined) {
    // A temporary table is not written to the file, and cannot collide with a table of the user's.
    await database.run('CREATE TEMP TABLE score_batch_suspects (bit INTEGER)');
    await appendInt32(database, 'score_batch_suspects', [keys.bits], keys.bits.length);
    return await copy(
      0,
      (hash) => `CAST(${hash} % ${KEY_BITS} AS INTEGER) IN (SELECT bit FROM temp.main.score_batch_suspects)`,
    );
  }
  const passes = Math.ceil((2 * keys.suspects * BYTES_PER_KEY) / setup.session.memory);
  let found = 0;
  for (let pass = 0; pass < passes; pass += 1) {
    const suspect = newFunctionName('suspect');
    registerFunction(database, { name: suspect, parameters: ['BIGINT'], returns: 'BOOLEAN' }, (rows, [hashes], result) => {
      const { buffer, byteOffset } = (hashes as Vector).bytes;
      const words = new Uint32Array(buffer as ArrayBuffer, byteOffset, 2 * rows);
      for (let row = 0; row < rows; row += 1) {
        const low = words[2 * row] as number;
        result.bytes[row] = low % passes === pass && keys.isSuspect(low) ? 1 : 0;
      }
    });
    found += await copy(pass, (hash) => `${suspect}(${hash})`);
  }
  return found;
}

async function countNullKeys(database: Database, files: readonly string[], { key }: EngineSetup): Promise<number> {
  const isNull = key.map((_, i) => `${stagedKey(i)} IS NULL`).join(' OR ');
  const [[rows] = []] = await database.rows(`SELECT ${BUILT_IN}count() FROM ${parquetScan(files)} WHERE ${isNull}`);
  return Number(rows);
}
