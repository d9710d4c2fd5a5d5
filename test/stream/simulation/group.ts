import type { VirtualClock } from '../../simulation/virtual-clock.ts';

interface Assignment {
  readonly generation: number;
  readonly partitions: readonly number[];
}

/** The coordinator of a consumer group. It waits for nobody: a member that is late learns of a new generation by its heartbeat. */
export interface Group {
  join(member: string): void;
  leave(member: string): void;
  /** @returns undefined for a member that was expelled */
  heartbeat(member: string): Assignment | undefined;
  /** Makes a new generation, as after a change of the coordinator. */
  rebalance(): void;
}

export interface GroupOptions {
  readonly clock: VirtualClock;
  readonly partitions: number;
  readonly sessionMs: number;
  readonly random: () => number;
}

export function coordinate({ clock, partitions, sessionMs, random }: GroupOptions): Group {
  /** Instant of the last heartbeat. */
  const members = new Map<string, number>();
  let generation = 0;
  let owners: string[] = [];
  const rebalance = () => {
    generation += 1;
    const names = [...members.keys()].sort();
    const sticky = random() < 0.5;
    const turn = Math.floor(random() * names.length);
    owners = Array.from({ length: partitions }, (_, partition) => {
      const owner = owners[partition];
      if (sticky && owner !== undefined && members.has(owner) && random() < 0.8) return owner;
      return names[(partition + turn) % names.length] ?? '';
    });
  };
  const expel = () => {
    const late = [...members].filter(([, at]) => clock.now - at > sessionMs).map(([name]) => name);
    for (const name of late) members.delete(name);
    if (late.length > 0) rebalance();
  };
  return {
    join(member) {
      members.set(member, clock.now);
      rebalance();
    },
    leave(member) {
      if (members.delete(member)) rebalance();
    },
    heartbeat(member) {
      expel();
      if (!members.has(member)) return undefined;
      members.set(member, clock.now);
      return { generation, partitions: owners.flatMap((owner, partition) => (owner === member ? [partition] : [])) };
    },
    rebalance,
  };
}
