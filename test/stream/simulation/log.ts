import { ScoreBatchError } from '../../../src/errors.ts';
import {
  type Committed,
  FencedError,
  type Log,
  type Member,
  type OutputRecord,
  type PartitionProducer,
  type Transaction,
  TransactionError,
} from '../../../src/stream/log.ts';
import { type Broker, Concurrent, Fenced, type InputPartition } from './broker.ts';
import type { Group } from './group.ts';
import { joinGroup } from './membership.ts';
import { Lost, type SimulatedProcess } from './process.ts';

/** A client that does not do what the contract asks: the simulation must find it. */
export type Faulty = 'reads what is committed before the fence' | 'takes a lost answer for success' | 'commits offsets first';

export interface SimulatedLogOptions {
  readonly broker: Broker;
  readonly group: Group;
  readonly process: SimulatedProcess;
  /** Records of a fetch. */
  readonly fetchRecords: number;
  readonly faulty?: Faulty | undefined;
}

/** Milliseconds between attempts while the coordinator works on an earlier transaction. */
const RETRY_MS = 20;
const RETRIES = 100;

/** The log as one process sees it. */
export function simulatedLog({ broker, group, process, fetchRecords, faulty }: SimulatedLogOptions): Log {
  const { ask, random } = process;
  /** One request with the retries of a client, and its errors as the contract has them. */
  const request = async <T>(what: string, effect: () => T): Promise<T> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await ask(effect);
      } catch (error) {
        if (error instanceof Fenced) throw new FencedError(error.message);
        if (error instanceof Lost || (error instanceof Concurrent && attempt === RETRIES)) {
          if (random() < 0.5) throw new ScoreBatchError('unavailable', `${what}: ${error.message}`);
          throw new TransactionError(`${what}: ${error.message}`);
        }
        if (!(error instanceof Concurrent)) throw error;
        await process.work(RETRY_MS);
      }
    }
  };
  const committedOf = (partition: number): Promise<Committed | undefined> =>
    request('read the committed offset', () => broker.fetchCommitted(partition));
  return {
    describe: (topic) => request('describe', () => broker.describe(topic)),
    brokers: async () => 1,
    offsetAt: (_topic, partition, timestamp) =>
      request('list offsets', () => {
        const { begin, entries } = broker.input[partition] as InputPartition;
        const found = entries.findIndex(
          (entry, offset) => offset >= begin && entry !== 'passed over' && entry.timestamp >= timestamp,
        );
        return found === -1 ? entries.length : found;
      }),
    subscribe: async (_topic: string, _group: string, member: Member) =>
      joinGroup({ broker, group, process, member, fetchRecords }),
    async openProducer(id, { partition }): Promise<PartitionProducer> {
      const early = faulty === 'reads what is committed before the fence' ? await committedOf(partition) : undefined;
      if (early !== undefined) await process.work(random() * 2000);
      const epoch = await request('open the producer', () => broker.init(id));
      return {
        committed: async () => early ?? (await committedOf(partition)),
        async commit(transaction) {
          try {
            await transact(transaction, id, epoch, partition);
          } catch (error) {
            if (faulty !== 'takes a lost answer for success' || !isLost(error)) throw error;
          }
        },
        close: async () => undefined,
      };
    },
    async read(_topic, from, batch, signal) {
      const positions = new Map(from);
      while (!signal.aborted) {
        for (const [partition, offset] of positions) {
          const count = 1 + Math.floor(random() * fetchRecords);
          const fetched = await request('fetch', () => broker.fetch(partition, offset, count));
          positions.set(partition, fetched.next);
          if (fetched.next === offset) await process.work(RETRY_MS);
          else if (!signal.aborted) await batch({ partition, ...fetched });
        }
      }
    },
    close: async () => undefined,
  };

  async function transact({ records, offset, metadata }: Transaction, id: string, epoch: number, partition: number) {
    const middle = Math.floor(random() * records.length);
    const send = (part: readonly OutputRecord[]) => request('produce', () => broker.produce(id, epoch, part));
    if (faulty === 'commits offsets first') {
      await request('commit the offset', () => broker.committed.set(partition, { offset, metadata }));
    }
    if (middle > 0) await send(records.slice(0, middle));
    await send(records.slice(middle));
    await request('add the offset', () => broker.addOffset(id, epoch, partition, { offset, metadata }));
    await request('commit', () => broker.commit(id, epoch));
  }
}

function isLost(error: unknown): boolean {
  return error instanceof TransactionError || error instanceof ScoreBatchError;
}
