import { showBytes } from '../domain/cost.ts';
import { COPIES_OF_WIDEST, type WidestRows } from '../domain/frozen-table.ts';
import { ScoreBatchError } from '../errors.ts';

// Estimates the peak memory of a process, so that it stays within a bound. The constants were measured.

export const MIB = 2 ** 20;

/** Node, the code, and the libraries of DuckDB and ONNX Runtime, after a model was tried. */
const PROCESS = 176 * MIB;
/** Fixed cost of a chunk worker: V8's heap, the garbage of some batches and the runtime's session. */
const WORKER = 48 * MIB;
/** The client of a cloud warehouse and the garbage of its rows; once in the main thread and once in each worker. */
const CLIENT = 64 * MIB;
/**
 * Bytes that a chunk worker's DuckDB uses per byte of its budget: it does not count everything, and free memory is
 * fragmented.
 */
const OVERHEAD = 1.2;
/** Bytes that the main thread's DuckDB uses beyond its budget, mostly while rows are published. */
const MAIN_OVERHEAD_BYTES = 136 * MIB;
/**
 * DuckDB's budgets: enough for speed (the main thread uses every core, see `threadsFor`), and the minimum at which wide
 * tables still worked.
 */
const MAIN = { perCore: 100 * MIB, least: 96 * MIB };
const DATABASE = { most: 64 * MIB, least: 40 * MIB };
/** Lower bounds when batches and chunks shrink. */
const MIN_BATCH_ROWS = 256;
const MIN_CHUNK_ROWS = 10_000;
/** Extra rows that the tensors have room for: DuckDB may deliver one more vector than a batch needs. */
const VECTOR_ROWS = 2_048;
/** Scores and reasons of a chunk, and a copy of both in DuckDB. */
const CHUNK_ROW_BYTES = 16;
/** A class of a row, and the label of a row: an array's element and its copy in DuckDB. */
export const CLASS_BYTES = 8;
/** The model file in memory and its tensors in the session. */
const MODEL_COPIES = 2;
/** The thread that reads the query, with its filter of seen keys. */
const ENGINE = 96 * MIB;
/** Maximum of waiting batches, in bytes in total and in number per worker. More would not be faster. */
const RING = 16 * MIB;
const MAX_SLOTS = 8;
/** Bytes per row of a batch in addition to its features. */
const OUTCOME_BYTES = 24;
/** Share of the machine's memory to use if no bound is set: other processes need memory too. */
const MACHINE_SHARE = 0.8;

/** A memory bound and its origin. */
export interface MemoryBound {
  readonly bytes: number;
  /** Decides the exit code if the bound is too small: a flag is a usage error, a job file a configuration error. */
  readonly from: 'call' | 'job' | 'machine';
}

/** What a run needs memory for. */
export interface Load {
  readonly workers: number;
  readonly batchRows: number;
  readonly chunkRows: number;
  /** Bytes of a row in the input tensors and between the model's layers. */
  readonly rowBytes: number;
  /** Bytes of a row in the input tensors. */
  readonly encodedBytes: number;
  /** Bytes of a row of a chunk besides its score, if every class is published. */
  readonly classBytes?: number;
  readonly modelBytes: number;
  /** Processors that the main thread's database may use. */
  readonly cores: number;
  /** Whether source and sink are both DuckDB, so that no cloud client is loaded. */
  readonly local: boolean;
  /** Unusually wide rows; known once the rows are frozen. */
  readonly widest?: WidestRows | undefined;
}

/** A load that fits a bound. */
export interface MemoryPlan {
  readonly workers: number;
  readonly batchRows: number;
  readonly chunkRows: number;
  /** Bytes for the in-memory database of each chunk worker. */
  readonly database: number;
  /** Estimated peak of the whole process, in bytes. */
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

/** Whether DuckDB ran out of memory, in the main thread or in a chunk worker. */
export function isOutOfMemory({ details }: ScoreBatchError): boolean {
  return details.some((detail) => /Out of Memory Error|failed to allocate|failed to pin block/.test(detail));
}

/**
 * Suggests a bound if one was too small: twice as much, and enough for a value of size `largest`.
 *
 * @param largest bytes
 * @returns in the form of `--max-memory`
 */
export function nextBound({ bytes }: Pick<MemoryBound, 'bytes'>, largest: number): string {
  const needed = Math.max(2 * bytes, PROCESS + MAIN_OVERHEAD_BYTES + WORKER + 2 * OVERHEAD * COPIES_OF_WIDEST * largest);
  return needed > 1024 * MIB ? `${Math.ceil(needed / (1024 * MIB))}GiB` : `${Math.ceil(needed / MIB)}MiB`;
}

/** The bound of a machine if none is set. @param memory bytes of the machine */
export function machineBound(memory: number): MemoryBound {
  return { bytes: memory * MACHINE_SHARE, from: 'machine' };
}

/** Bytes available to each of several runs in one process, which share the memory of Node and the libraries. */
export function shareOf({ bytes }: Pick<MemoryBound, 'bytes'>, runs: number): number {
  return PROCESS + Math.floor((bytes - PROCESS) / runs);
}

/**
 * Budget in bytes of the main thread's database, which works before and after the chunk workers.
 *
 * @throws like `fitToMemory`
 */
export function mainDatabase(bound: MemoryBound, { local, cores }: Pick<Load, 'local' | 'cores'>): number {
  const room = Math.floor(bound.bytes - processBytes(local) - MAIN_OVERHEAD_BYTES);
  if (room < MAIN.least) throw tooSmall(bound, leastMain({ local }));
  return capped(bound, room, mostMain(cores));
}

/** Budget in bytes of the main thread's database for wide rows: all that the bound leaves. */
export function reserveOf(bound: MemoryBound, local: boolean): number {
  return Math.floor((bound.bytes - processBytes(local) - MAIN_OVERHEAD_BYTES) / OVERHEAD);
}

/**
 * Caps a budget at what is enough for speed. Above a bound that the user set, the rest is used as well: wide rows may need
 * it.
 */
function capped({ from }: MemoryBound, room: number, enough: number): number {
  return from === 'machine' || room <= enough ? Math.min(enough, room) : Math.floor(enough + (room - enough) / OVERHEAD);
}

/** The default bound: enough for the workers to be fast, within the machine's share. @param machine bytes of memory */
export function ownBound(machine: number, load: Load): MemoryBound {
  const wanted = Math.max(
    leastMain(load),
    processBytes(load.local) + mostMain(load.cores) + MAIN_OVERHEAD_BYTES,
    peakOf(load, Math.max(DATABASE.most, leastDatabase(load))),
  );
  return { bytes: Math.min(wanted, machineBound(machine).bytes), from: 'machine' };
}

/**
 * Fits a load to a bound. Shrinks, in this order and each as far as possible: the workers' databases, the rows per batch,
 * the rows per chunk, and the number of workers. `mainDatabase` bounds the main thread's database separately.
 *
 * @param cut whether the chunks already exist and cannot shrink
 * @throws ScoreBatchError with the minimum that works: `usage` if the call set the bound, otherwise `configuration`
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

/** What a run needs memory for if it scores rows as the query returns them. */
export interface TapLoad extends Pick<Load, 'workers' | 'batchRows' | 'rowBytes' | 'modelBytes' | 'cores'> {
  /** Bytes of a batch in the ring. */
  readonly slotBytes: number;
}

/** A `TapLoad` that fits a bound. */
export interface TapMemoryPlan {
  readonly workers: number;
  /** Batches in the ring. */
  readonly slots: number;
}

/**
 * Fits a run without a frozen table to a bound. Shrinks the ring first, then the number of workers; the batch size stays,
 * since the model determines it.
 *
 * @returns undefined if it does not fit
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

/** Bytes of the process while chunks are scored. Before and after, the main thread's database needs memory instead. */
function peakOf(load: Load, database: number): number {
  const { workers, batchRows, chunkRows, rowBytes, encodedBytes, classBytes = 0, modelBytes, local } = load;
  const own = WORKER + (local ? 0 : CLIENT) + MODEL_COPIES * modelBytes + VECTOR_ROWS * encodedBytes;
  return (
    processBytes(local) +
    workers * (own + batchRows * rowBytes + chunkRows * (CHUNK_ROW_BYTES + classBytes) + database * OVERHEAD)
  );
}

function processBytes(local: boolean): number {
  return PROCESS + (local ? 0 : CLIENT);
}

/** One core counts as two: sorting needs the same memory. */
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
    machine: `there is too little memory: score-batch can use ${bound}`,
  };
  return new ScoreBatchError(from === 'call' ? 'usage' : 'configuration', `${of[from]}: this job needs at least ${needed}`, {
    details: widest === undefined ? [] : [showWidest(widest)],
    hint:
      from === 'machine'
        ? `give the machine or the container ${showMebibytes(Math.ceil(least / MACHINE_SHARE / MIB))}`
        : widest === undefined
          ? 'set a higher bound, or use a smaller model or fewer features'
          : `set the bound to ${needed.replace(/[ ,]/g, '')}, or shorten ${widest.column} in the query`,
  });
}

function showMebibytes(mebibytes: number): string {
  return `${mebibytes.toLocaleString('en')} MiB`;
}

function showWidest({ column, rows, bytes, largest }: WidestRows): string {
  const value = largest === undefined ? '' : `; its largest value has ${showBytes(largest)}`;
  return `${rows} rows that are read together take ${showBytes(bytes)}, most of that in ${column}${value}`;
}
