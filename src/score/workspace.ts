import type { Database } from '../duckdb/database.ts';
import type { BatchedSession } from '../runtime/batches.ts';
import type { Source } from '../warehouse/warehouse.ts';
import type { WorkerSetup } from './messages.ts';

/** A worker's open resources. */
export interface ChunkWorkspace {
  readonly setup: WorkerSetup;
  readonly source: Source;
  readonly session: BatchedSession;
  /** In-memory. */
  readonly database: Database;
  /** Whether to stop; checked between batches. */
  readonly stopped: () => boolean;
}

/** Counts scored rows for the main thread, which shows them; a negative number takes back rows that are read again. */
export function addDone({ done }: WorkerSetup, rows: number): void {
  Atomics.add(new BigInt64Array(done), 0, BigInt(rows));
}
