import type { LedgerEntry } from '../../src/domain/ledger.ts';
import { ScoreBatchError } from '../../src/errors.ts';
import type { LedgerFilter } from '../../src/warehouse/ledger-filter.ts';
import type { Ledger } from '../../src/warehouse/warehouse.ts';
import type { MemoryProcess } from './memory-process.ts';
import { record, type World } from './world.ts';

/** Like the ledgers of the warehouses: BigQuery's optimistic transaction, or a transaction that holds the publish lock. */
export function memoryLedger(world: World, process: MemoryProcess): Ledger {
  const entries = (filter: LedgerFilter) =>
    process.ask('read the ledger', () => {
      const found = world.ledger.filter((entry) => matches(entry, filter));
      return filter.newest === undefined ? found : found.slice(-filter.newest);
    });
  const append = (entry: LedgerEntry) => process.ask('write to the ledger', () => record(world, entry));
  return {
    entries,
    append: (entry) => (world.locking === 'locked' ? process.withLock(() => append(entry)) : append(entry)),
    async decide(window, decide) {
      if (world.locking === 'locked') {
        return await process.withLock(async () => {
          const decision = await decide(await entries(window));
          if (decision.append !== undefined) await append(decision.append);
          return decision.result;
        });
      }
      for (let failures = 0; failures < 20; failures += 1) {
        const taken = await process.ask('read the publish lock', () => world.publishLock.taken);
        const { append: entry, result } = await decide(await entries(window));
        if (entry === undefined) return result;
        const written = await process.ask('write to the ledger', () => {
          if (world.publishLock.taken !== taken) return false;
          record(world, entry);
          return true;
        });
        if (written) return result;
      }
      throw new ScoreBatchError('conflict', 'other runs keep writing to the ledger');
    },
  };
}

function matches(entry: LedgerEntry, { job, runs, states, window }: LedgerFilter): boolean {
  if (job !== undefined && entry.job !== job) return false;
  if (runs !== undefined && !runs.includes(entry.runId)) return false;
  if (states !== undefined && !states.includes(entry.state)) return false;
  return window === undefined || (entry.window.start === window.start && entry.window.end === window.end);
}
