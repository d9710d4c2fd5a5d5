import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parentPort } from 'node:worker_threads';
import { stagedKey } from '../domain/staged-columns.ts';
import { appendInt32 } from '../duckdb/append.ts';
import type { Database } from '../duckdb/database.ts';
import { duckdbError, featureError } from '../duckdb/errors.ts';
import { registerFunction } from '../duckdb/function.ts';
import { BUILT_IN, parquetScan } from '../duckdb/sql.ts';
import type { Vector } from '../duckdb/vector.ts';
import { ORDINAL, REPEATED, ROWS } from '../outcomes/folder.ts';
import { registerOutcomes } from '../outcomes/functions.ts';
import { openOutcomes } from '../outcomes/reader.ts';
import { toParts } from '../score/error-parts.ts';
import { queryError } from '../warehouse/duckdb/errors.ts';
import { openFile } from '../warehouse/duckdb/file.ts';
import { noteReading } from '../warehouse/duckdb/readers.ts';
import type { EngineMessage, EngineSetup, Entered } from './messages.ts';
import { received as receive } from './received.ts';
import { isStopped, RingStopped, writeRing } from './ring.ts';
import { createSeenKeys, KEY_BITS, type SeenKeys } from './seen-keys.ts';
import { copyRepeated, newFunctionName, tapParameters, tapStatement } from './statement.ts';

// Entry of the engine's thread: DuckDB, and the function that takes rows from it. The function waits where the ring is full, and so
// does this thread; the main thread never does.

/** Bytes of memory for each key that is looked at: ten million were counted at once with 200 MiB, a hundred million were too many. */
const BYTES_PER_KEY = 12;

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread');
const post = (message: EngineMessage): void => port.postMessage(message);
// Left to itself, the thread would end in the middle of a call into a library, and abort the process with it.
process.on('uncaughtException', (error) => post({ type: 'failed', error: toParts(error) }));
const received = await receive<EngineSetup>(port);
const stopping = new AbortController();
port.on('message', () => stopping.abort(new RingStopped()));
try {
  if (received !== undefined) post({ type: 'entered', entered: await enter(received) });
} catch (error) {
  post({ type: 'failed', error: toParts(error) });
} finally {
  port.close();
}

/** Runs the query, once, and gives the file back. */
async function enter(setup: EngineSetup): Promise<Entered> {
  const { session } = setup;
  await using database = await openFile({ ...session, signal: stopping.signal }, 'read');
  const done = await noteReading(session, setup.seconds);
  try {
    return await readThrough(database, setup);
  } catch (error) {
    if (isStopped(setup.ring)) throw new RingStopped();
    const casts = setup.columns.some(({ kind }) => kind === 'int64');
    throw queryError(casts ? featureError(error, 'the window') : duckdbError(error, session.scratch), session.name);
  } finally {
    await done();
  }
}

async function readThrough(database: Database, setup: EngineSetup): Promise<Entered> {
  const { ring, columns, earlier } = setup;
  const writer = writeRing(ring);
  const keys = createSeenKeys();
  const reuses = earlier.length > 0;
  const tap = newFunctionName('tap');
  const hashAt = columns.length;
  registerFunction(database, tap, tapParameters(columns, reuses), 'INTEGER', (rows, inputs, result) => {
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
  // Which row is in which file means nothing, and keeping the order would hold whole row groups back in memory.
  await database.run('SET preserve_insertion_order = false');
  const [copied] = await database.rows(tapStatement(setup, tap, relations), setup.session.values);
  const entered = writer.end();
  if (entered !== Number(copied?.[0])) throw new Error(`${entered} rows were taken and ${copied?.[0]} were written`);
  const files = filesIn(path.join(setup.folder, ROWS));
  return {
    rows: entered,
    checksum: keys.checksum,
    duplicates: await findRepeated(database, keys, files, setup),
    nullKeys: await countNullKeys(database, files, setup),
  };
}

/** Collects the keys that occur more than once: among those whose hash came again, and as many at once as the memory is enough for. */
async function findRepeated(database: Database, keys: SeenKeys, files: readonly string[], setup: EngineSetup): Promise<number> {
  if (keys.suspects === 0) return 0;
  const repeated = path.join(setup.folder, REPEATED);
  mkdirSync(repeated);
  const copy = async (pass: number, isSuspect: (hash: string) => string): Promise<number> => {
    const [copied] = await database.rows(copyRepeated(files, setup, isSuspect, path.join(repeated, `${pass}.parquet`)));
    return Number(copied?.[0]);
  };
  if (keys.bits !== undefined) {
    // In the schema of this connection: nothing is written to the file, and no table of the user's is meant.
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
    registerFunction(database, suspect, ['BIGINT'], 'BOOLEAN', (rows, [hashes], result) => {
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

function filesIn(folder: string): string[] {
  return readdirSync(folder).map((name) => path.join(folder, name));
}
