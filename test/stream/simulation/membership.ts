import type { Member, Subscription } from '../../../src/stream/log.ts';
import type { Broker } from './broker.ts';
import type { Group } from './group.ts';
import { Lost, type SimulatedProcess } from './process.ts';

export interface MembershipOptions {
  readonly broker: Broker;
  readonly group: Group;
  readonly process: SimulatedProcess;
  readonly member: Member;
  readonly fetchRecords: number;
}

const HEARTBEAT_MS = 3000;
const POLL_MS = 200;

/** What reads one partition. */
interface Reader {
  stopped: boolean;
  restart: boolean;
  ended: Promise<void>;
}

/** The membership of a process in the group: heartbeats, and a reader per partition. */
export async function joinGroup({ broker, group, process, member, fetchRecords }: MembershipOptions): Promise<Subscription> {
  const readers = new Map<number, Reader>();
  const paused = new Set<number>();
  let generation = -1;
  let closed = false;

  const read = async (partition: number, kept: boolean, reader: Reader): Promise<void> => {
    let offset = await member.assigned(partition, kept);
    while (!reader.stopped) {
      if (reader.restart) {
        reader.restart = false;
        offset = await member.assigned(partition, true);
      } else if (paused.has(partition)) {
        await process.work(POLL_MS);
      } else {
        const fetched = await retried(() => broker.fetch(partition, offset, 1 + Math.floor(process.random() * fetchRecords)));
        if (fetched === undefined || (fetched.records.length === 0 && fetched.next === offset)) await process.work(POLL_MS);
        else if (!reader.stopped && !reader.restart && !paused.has(partition)) {
          offset = fetched.next;
          const isWanted = () => !reader.stopped && !reader.restart && !paused.has(partition);
          let rest = await member.batch({ partition, ...fetched }, isWanted);
          while (rest !== undefined && !reader.stopped && !reader.restart) {
            await process.work(POLL_MS);
            if (isWanted()) rest = await member.batch(rest, isWanted);
          }
        }
      }
    }
  };
  const retried = async <T>(effect: () => T): Promise<T | undefined> => {
    try {
      return await process.ask(effect);
    } catch (error) {
      if (error instanceof Lost) return undefined;
      throw error;
    }
  };
  const stopAll = async (): Promise<void> => {
    for (const reader of readers.values()) reader.stopped = true;
    await Promise.all([...readers.values()].map(({ ended }) => ended));
  };
  const rebalance = async (partitions: readonly number[]): Promise<void> => {
    await stopAll();
    const had = new Set(readers.keys());
    const lost = [...had].filter((partition) => !partitions.includes(partition));
    readers.clear();
    if (lost.length > 0) await member.revoked(lost);
    if (closed) return;
    for (const partition of partitions) {
      const reader: Reader = { stopped: false, restart: false, ended: Promise.resolve() };
      reader.ended = read(partition, had.has(partition), reader);
      readers.set(partition, reader);
    }
  };
  const beat = async (): Promise<void> => {
    while (!closed) {
      const answer = await retried(() => group.heartbeat(process.name) ?? group.join(process.name));
      if (answer && answer.generation !== generation && !closed) {
        await rebalance(answer.partitions);
        generation = answer.generation;
      }
      // A new member asks at once; it waits for no one.
      await process.work(answer === undefined ? POLL_MS : HEARTBEAT_MS);
    }
  };
  const beats = beat();
  return {
    restart(partition) {
      const reader = readers.get(partition);
      if (reader !== undefined) reader.restart = true;
    },
    pause(partitions) {
      for (const partition of partitions) paused.add(partition);
    },
    resume(partitions) {
      for (const partition of partitions) paused.delete(partition);
    },
    ended: new Promise(() => undefined),
    async close() {
      closed = true;
      await stopAll();
      await retried(() => group.leave(process.name));
      await beats;
    },
  };
}
