import type { Member, Subscription } from '../log.ts';
import type { Client } from './client.ts';
import { createMembership } from './membership.ts';
import { PartitionRun } from './partition-run.ts';
import { createReader } from './reader.ts';

/** Joins the group, and calls the member until it is closed or cannot stay. */
export async function subscribe(
  client: Client,
  of: { readonly topic: string; readonly group: string; readonly owner: readonly string[] },
  member: Member,
): Promise<Subscription> {
  const { topic } = of;
  const membership = createMembership(client, of);
  const runs = new Map<number, PartitionRun>();
  const paused = new Set<number>();
  const waiting = { bytes: 0 };
  let closing = false;
  let failure: { readonly error: unknown } | undefined;
  let interrupt = () => {};
  const interrupted = new Promise<void>((resolve) => {
    interrupt = resolve;
  });
  const fail = (error: unknown) => {
    failure ??= { error };
    interrupt();
  };
  const reader = createReader({
    client,
    topic,
    wants: (partition) => runs.get(partition)?.wants() === true,
    deliver: (batch, bytes) => runs.get(batch.partition)?.deliver(batch, bytes),
    fail,
  });
  const ends = () => closing || failure !== undefined;

  const begin = async (before: ReadonlySet<number>) => {
    // Others may take a minute to join, but `close` does not wait.
    const joined = await Promise.race([membership.join([...before]), interrupted]);
    if (joined === undefined) return undefined;
    const { partitions, forgotten } = joined;
    const gone = [...before].filter((partition) => forgotten || !partitions.includes(partition));
    const all = new Set(partitions);
    for (const partition of gone) if (!all.has(partition)) paused.delete(partition);
    if (gone.length > 0) await member.revoked(gone);
    return { partitions, kept: (partition: number) => before.has(partition) && !forgotten };
  };

  const live = async () => {
    let before = new Set<number>();
    const again = new Set<number>();
    while (!ends()) {
      const begun = await begin(before);
      if (begun === undefined) break;
      const { partitions, kept } = begun;
      before = new Set(partitions);
      for (const partition of partitions) {
        const isPaused = () => paused.has(partition);
        const of = { partition, kept: kept(partition) && !again.has(partition), member, reader, isPaused, waiting };
        runs.set(partition, new PartitionRun(of, fail));
      }
      again.clear();
      await Promise.race([membership.rebalance, interrupted]);
      for (const [partition, run] of runs) if (run.restarts) again.add(partition);
      await Promise.all([...runs.values()].map((run) => run.stop()));
      runs.clear();
    }
    if (failure !== undefined) throw failure.error;
  };

  const ended = live().finally(async () => {
    reader.close();
    await Promise.all([...runs.values()].map((run) => run.stop()));
    await membership.leave();
    await client.close();
  });
  // No unhandled rejection if nobody awaits it.
  ended.catch(() => undefined);

  return {
    restart: (partition) => runs.get(partition)?.restart(),
    pause(partitions) {
      for (const partition of partitions) paused.add(partition);
    },
    resume(partitions) {
      for (const partition of partitions) {
        paused.delete(partition);
        runs.get(partition)?.wake();
      }
      reader.wake();
    },
    ended,
    async close() {
      closing = true;
      interrupt();
      await ended.catch(() => undefined);
    },
  };
}
