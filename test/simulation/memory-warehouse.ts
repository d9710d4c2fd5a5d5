import type { Warehouse } from '../../src/warehouse/warehouse.ts';
import { memoryLedger } from './memory-ledger.ts';
import type { MemoryProcess } from './memory-process.ts';
import { memorySink } from './memory-sink.ts';
import { memorySource } from './memory-source.ts';
import type { World } from './world.ts';

/**
 * The world as one process sees it: a warehouse with everything that a run needs. It lacks what only a plan needs (a query's
 * columns, permissions, differences of tables).
 */
export function memoryWarehouse(world: World, process: MemoryProcess): Warehouse {
  return {
    kind: world.locking === 'optimistic' ? 'bigquery' : 'snowflake',
    reach: async () => undefined,
    source: memorySource(world, process),
    sink: memorySink(world, process),
    ledger: () => memoryLedger(world, process),
    close: async () => undefined,
  };
}
