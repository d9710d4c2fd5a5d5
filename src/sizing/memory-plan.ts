import { showBytes } from '../domain/cost.ts';
import { COPIES_OF_WIDEST, type WidestRows } from '../domain/frozen-table.ts';
import { ScoreBatchError } from '../errors.ts';

// What a process takes at its peak, so that a bound can be kept to. The figures were measured; docs/performance.md says how.

export const MIB = 2 ** 20;

/** Node, the code, and the libraries of DuckDB and ONNX Runtime, once a model was tried. */
const PROCESS = 176 * MIB;
/** A chunk worker besides what is counted below: V8's heap and the garbage of some batches, the runtime's session. */
const WORKER = 48 * MIB;
/** The client of a warehouse in the cloud, in the main thread and in each worker, and the garbage of its rows. */
const CLIENT = 64 * MIB;
/** What a chunk worker's DuckDB takes for each byte of its budget: not all is counted, and what is free comes back in pieces. */
const OVERHEAD = 1.2;
/** What the main thread's takes beyond its budget, most of it where rows are published. */
const MAIN_OVERHEAD_BYTES = 136 * MIB;
/** DuckDB's budgets: enough for speed (the main thread's uses every core, see `threadsFor`), and the least with which wide tables were still worked on. */
const MAIN = { perCore: 100 * MIB, least: 96 * MIB };
const DATABASE = { most: 64 * MIB, least: 40 * MIB };
/** Rows of a batch and of a chunk are not made fewer than these. */
const MIN_BATCH_ROWS = 256;
const MIN_CHUNK_ROWS = 10_000;
/** Rows for which the tensors have room beyond a batch: one vector more of DuckDB's may come. */
const VECTOR_ROWS = 2_048;
/** Scores and reasons of a chunk, and both once more in DuckDB. */
const CHUNK_ROW_BYTES = 16;
/** The file as it is read, and its tensors in the session. */
const MODEL_COPIES = 2;
/** The thread that reads the query, with the bits of the keys that it has seen. */
const ENGINE = 96 * MIB;
/** Batches that wait for a worker, at most, in bytes and for each worker: more would make nothing faster. */
const RING = 16 * MIB;
const MAX_SLOTS = 8;
/** Of a row of a batch, beside its features. */
const OUTCOME_BYTES = 24;
/** Of a machine's memory, where nobody says how much may be used: others live there too. */
const MACHINE_SHARE = 0.8;

/** A bound, and who set it. */
export interface MemoryBound {
  readonly bytes: number;
  /** Decides the exit code of a bound that is too small: a call is mended elsewhere than a job. */
  readonly from: 'call' | 'job' | 'machine';
}

/** What a job asks of a process. */
export interface Load {
  readonly workers: number;
  readonly batchRows: number;
  readonly chunkRows: number;
  /** Bytes of a row in the tensors of a batch and between the model's layers. */
  readonly rowBytes: number;
  /** Bytes of a row in the tensors alone. */
  readonly encodedBytes: number;
  readonly modelBytes: number;
  /** Processors that the main thread's database may use. */
  readonly cores: number;
  /** Whether source and sink are DuckDB, which is there anyway. */
  readonly local: boolean;
  /** Rows that are wider than usual; known once they are frozen. */
  readonly widest?: WidestRows | undefined;
}

/** What it gets. */
export interface MemoryPlan {
  readonly workers: number;
  readonly batchRows: number;
  readonly chunkRows: number;
  /** Bytes for the in-memory database of each chunk worker. */
  readonly database: number;
  /** Bytes of the whole process at its peak, by the formula. */
  readonly peak: number;
}

/**
 * The bound that a call or a job sets; the call's wins.
 *
 * @param call bytes, from `Context.maxMemory`
 * @param job bytes, from `score.max_memory`
 */
export function requestedBound(call: number | undefined, job: number | undefined): MemoryBound | undefined {
  if (call !== undefined) return { bytes: call, from: 'call' };
  return job === undefined ? undefined : { bytes: job, from: 'job' };
}

/** Whether DuckDB has said that its memory was too little, here or in a chunk worker. */
export function isOutOfMemory({ details }: ScoreBatchError): boolean {
  return details.some((detail) => /Out of Memory Error|failed to allocate|failed to pin block/.test(detail));
}

/**
 * A bound to try where one was too small: twice as much, and enough for a value of this size.
 *
 * @returns as `--max-memory` takes it
 */
export function nextBound({ bytes }: Pick<MemoryBound, 'bytes'>, largest: number): string {
  const needed = Math.max(2 * bytes, PROCESS + MAIN_OVERHEAD_BYTES + WORKER + 2 * OVERHEAD * COPIES_OF_WIDEST * largest);
  return needed > 1024 * MIB ? `${Math.ceil(needed / (1024 * MIB))}GiB` : `${Math.ceil(needed / MIB)}MiB`;
}

/** What may be used of a machine's memory, where nobody said. */
export function machineBound(memory: number): MemoryBound {
  return { bytes: memory * MACHINE_SHARE, from: 'machine' };
}

/** Bytes for the main thread's database, which works before and after the chunk workers. @throws as `allot` does */
export function mainDatabase(bound: MemoryBound, { local, cores }: Pick<Load, 'local' | 'cores'>): number {
  const room = Math.floor(bound.bytes - processBytes(local) - MAIN_OVERHEAD_BYTES);
  if (room < MAIN.least) throw tooSmall(bound, leastMain({ local }));
  return capped(bound, room, mostMain(cores));
}

/** Bytes that it may have where rows are wide: all that the bound leaves. */
export function reserveOf(bound: MemoryBound, local: boolean): number {
  return Math.floor((bound.bytes - processBytes(local) - MAIN_OVERHEAD_BYTES) / OVERHEAD);
}

/** Nobody asked for more than is good for speed, unless somebody did: what is wide needs it. */
function capped({ from }: MemoryBound, room: number, enough: number): number {
  return from === 'machine' || room <= enough ? Math.min(enough, room) : Math.floor(enough + (room - enough) / OVERHEAD);
}

/** The bound where nobody set one: what so many workers take with room for speed, and not more than the machine has to give. */
export function ownBound(machine: number, load: Load): MemoryBound {
  const wanted = Math.max(
    leastMain(load),
    processBytes(load.local) + mostMain(load.cores) + MAIN_OVERHEAD_BYTES,
    peakOf(load, Math.max(DATABASE.most, leastDatabase(load))),
  );
  return { bytes: Math.min(wanted, machineBound(machine).bytes), from: 'machine' };
}

/**
 * Fits a load to a bound. Shrunk are, in this order, each as far as it goes before the next: the workers' databases, the rows of a batch,
 * those of a chunk, and the number of workers. The main thread's database is bounded by itself (`mainDatabase`).
 *
 * @param cut whether chunks are cut already, and so cannot shrink
 * @throws ScoreBatchError with the least that works: `usage` where the bound is the call's, else `configuration`
 */
export function fitToMemory(bound: MemoryBound, load: Load, cut: boolean): MemoryPlan {
  const leastBatch = Math.min(load.batchRows, MIN_BATCH_ROWS);
  const leastChunk = cut ? load.chunkRows : Math.min(load.chunkRows, MIN_CHUNK_ROWS);
  const smallest = { ...load, workers: 1, batchRows: leastBatch, chunkRows: leastChunk };
  const leastOfDatabase = leastDatabase(load);
  const least = Math.max(leastMain(load), peakOf(smallest, leastOfDatabase));
  if (bound.bytes < least) throw tooSmall(bound, least, load.widest);
  let { workers, batchRows, chunkRows } = load;
  const peakWith = (database: number) => peakOf({ ...load, workers, batchRows, chunkRows }, database);
  const isTooMuch = () => peakWith(leastOfDatabase) > bound.bytes;
  while (batchRows > leastBatch && isTooMuch()) batchRows = Math.max(leastBatch, batchRows >> 1);
  while (chunkRows > leastChunk && isTooMuch()) chunkRows = Math.max(leastChunk, chunkRows >> 1);
  while (workers > 1 && isTooMuch()) workers -= 1;
  const spare = (bound.bytes - peakWith(0)) / (workers * OVERHEAD);
  const database = Math.floor(capped(bound, spare, Math.max(DATABASE.most, leastOfDatabase)));
  const main = processBytes(load.local) + mainDatabase(bound, load) + MAIN_OVERHEAD_BYTES;
  return { workers, batchRows, chunkRows, database, peak: Math.max(main, peakWith(database)) };
}

/** What a run asks for that scores rows on their way out of the query. */
export interface TapLoad extends Pick<Load, 'workers' | 'batchRows' | 'rowBytes' | 'modelBytes' | 'cores'> {
  /** Bytes of a batch in the ring. */
  readonly slotBytes: number;
}

/** What it gets. */
export interface TapMemoryPlan {
  readonly workers: number;
  /** Batches in the ring. */
  readonly slots: number;
}

/**
 * Fits a run that scores on the way to a bound: first the ring shrinks, then the number of workers. The size of a batch is the model's,
 * and does not.
 *
 * @returns undefined where it does not fit
 */
export function fitTapToMemory(bound: MemoryBound, load: TapLoad): TapMemoryPlan | undefined {
  const worker = WORKER + MODEL_COPIES * load.modelBytes + load.batchRows * (load.rowBytes + OUTCOME_BYTES);
  const fixed =
    PROCESS +
    ENGINE +
    (bound.from === 'machine' ? mostMain(load.cores) : mainDatabase(bound, { local: true, cores: load.cores }));
  for (let { workers } = load; workers > 0; workers -= 1) {
    const room = bound.bytes - fixed - workers * worker;
    const fitting = Math.floor(Math.min(room, RING) / load.slotBytes);
    const least = workers + 1;
    if (fitting >= least || room >= least * load.slotBytes)
      return { workers, slots: Math.max(least, Math.min(fitting, MAX_SLOTS * workers)) };
  }
  return undefined;
}

/** Bytes of the process while chunks are scored; before and after, the main thread's database is in their place. */
function peakOf({ workers, batchRows, chunkRows, rowBytes, encodedBytes, modelBytes, local }: Load, database: number): number {
  const own = WORKER + (local ? 0 : CLIENT) + MODEL_COPIES * modelBytes + VECTOR_ROWS * encodedBytes;
  return processBytes(local) + workers * (own + batchRows * rowBytes + chunkRows * CHUNK_ROW_BYTES + database * OVERHEAD);
}

function processBytes(local: boolean): number {
  return PROCESS + (local ? 0 : CLIENT);
}

/** As much as two cores have, where there is one only: what is sorted does not get less. */
function mostMain(cores: number): number {
  return MAIN.perCore * Math.max(2, cores);
}

function leastMain({ local, widest }: Pick<Load, 'local' | 'widest'>): number {
  return processBytes(local) + Math.max(MAIN.least, OVERHEAD * COPIES_OF_WIDEST * (widest?.bytes ?? 0)) + MAIN_OVERHEAD_BYTES;
}

function leastDatabase({ widest }: Load): number {
  return Math.max(DATABASE.least, COPIES_OF_WIDEST * (widest?.bytes ?? 0));
}

function tooSmall({ bytes, from }: MemoryBound, least: number, widest?: WidestRows): ScoreBatchError {
  const [bound, needed] = [showMebibytes(Math.floor(bytes / MIB)), showMebibytes(Math.ceil(least / MIB))];
  const of = {
    call: `a memory bound of ${bound} is too small`,
    job: `score.max_memory of ${bound} is too small`,
    machine: `there is too little memory: ${bound} of it may be used here`,
  };
  return new ScoreBatchError(from === 'call' ? 'usage' : 'configuration', `${of[from]}: this job takes ${needed} at least`, {
    details: widest === undefined ? [] : [showWidest(widest)],
    hint:
      from === 'machine'
        ? `give the machine or the container ${showMebibytes(Math.ceil(least / MACHINE_SHARE / MIB))}`
        : widest === undefined
          ? 'a higher bound, a smaller model or fewer features would do'
          : `set the bound to ${needed.replace(/[ ,]/g, '')}, or shorten ${widest.column} in the query`,
  });
}

function showMebibytes(mebibytes: number): string {
  return `${mebibytes.toLocaleString('en')} MiB`;
}

function showWidest({ column, rows, bytes, largest }: WidestRows): string {
  const value = largest === undefined ? '' : `; its largest value has ${showBytes(largest)}`;
  return `${rows} rows that are read together have ${showBytes(bytes)}, most of it in ${column}${value}`;
}
