import { ScoreBatchError } from '../../errors.ts';
import { SESSION_MS } from '../log.ts';
import { assignPartitions, type GroupMember } from './assignment.ts';
import type { Client } from './client.ts';
import { isPassing, typeOf, userError } from './failure.ts';
import { retry, sleep } from './retry.ts';
import { whileUnknown } from './while-unknown.ts';
import type { Broker } from './wire.ts';

const HEARTBEAT_MS = 2_000;
/** How long members may take to finish their work before others get their partitions. */
const REBALANCE_MS = 60_000;
/** How long the group's coordinator may be away. */
const AWAY_MS = 120_000;
const METADATA_MS = 10_000;
/**
 * Kafka refuses members without a protocol in common. Those of another topic would be assigned partitions of this one, and those
 * of another job would take events away from it.
 */
const protocolsOf = (topic: string, owner: readonly string[]) =>
  owner.length === 0 ? [`score-batch-sticky ${topic}`] : owner.map((one) => `score-batch-sticky ${topic} ${one}`);

const REJOIN = ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION'];
/** The group has forgotten this member: its partitions may belong to others already. */
const FORGOTTEN = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'];

interface Joined {
  readonly partitions: readonly number[];
  /** This member was forgotten: nothing that it had is still its own. */
  readonly forgotten: boolean;
}

/** A member's place in a consumer group. */
export interface Membership {
  /** Joins, or joins again. @param owned partitions that it has and should keep */
  join(owned: readonly number[]): Promise<Joined>;
  /**
   * Resolves once the members must join again. Heartbeats continue until then and until `join`. Rejects if the member cannot
   * stay.
   */
  readonly rebalance: Promise<void>;
  leave(): Promise<void>;
}

/** @param owner see `Log.subscribe` */
export function createMembership(
  client: Client,
  { group, topic, owner }: { readonly group: string; readonly topic: string; readonly owner: readonly string[] },
): Membership {
  let memberId = '';
  let generationId = -1;
  let forgotten = false;
  let left = false;
  let beats = new AbortController();
  let rebalance: Promise<void> = Promise.resolve();

  const ask = <T>(request: (broker: Broker) => Promise<T>) =>
    client.coordinated('group', group, performance.now() + AWAY_MS, request);

  const joinOnce = async (owned: readonly number[]): Promise<readonly number[]> => {
    const metadata = encodeSubscription(client, topic, forgotten ? [] : owned);
    const joined = await ask((broker) =>
      broker.joinGroup({
        groupId: group,
        sessionTimeout: SESSION_MS,
        rebalanceTimeout: REBALANCE_MS,
        memberId,
        groupProtocols: protocolsOf(topic, owner).map((name) => ({ name, metadata })),
      }),
    );
    ({ memberId, generationId } = joined);
    const leads = joined.leaderId === memberId;
    const groupAssignment = leads ? await assign(joined.members) : [];
    const { memberAssignment } = await ask((broker) =>
      broker.syncGroup({ groupId: group, generationId, memberId, groupAssignment }),
    );
    return decodeAssignment(memberAssignment);
  };

  const assign = async (members: readonly { memberId: string; memberMetadata: Buffer }[]) => {
    await retry(() => client.refresh(), { deadline: performance.now() + AWAY_MS });
    const partitions = (await whileUnknown(client, () => client.partitions(topic))).length;
    const found = members.map(({ memberId: id, memberMetadata }): GroupMember => ({ id, owned: ownedOf(memberMetadata) }));
    return [...assignPartitions(found, partitions)].map(([id, own]) => ({
      memberId: id,
      memberAssignment: encodeAssignment(client, topic, own),
    }));
  };

  const heartbeat = () => ask((broker) => broker.heartbeat({ groupId: group, groupGenerationId: generationId, memberId }));

  /** Falls back to `unknown`: the reader reports a deleted topic. */
  const countOf = async (unknown: number): Promise<number> =>
    client.partitions(topic).then(
      (partitions) => partitions.length,
      () => unknown,
    );

  const forget = () => {
    forgotten = true;
    memberId = '';
  };

  const beat = async (signal: AbortSignal): Promise<void> => {
    const count = await countOf(Infinity);
    let looked = performance.now();
    let due = false;
    for (;;) {
      await sleep(HEARTBEAT_MS, signal);
      if (signal.aborted) return;
      try {
        await heartbeat();
      } catch (error) {
        if (signal.aborted) return;
        const type = typeOf(error) ?? '';
        if (FORGOTTEN.includes(type)) return forget();
        if (type !== 'REBALANCE_IN_PROGRESS') throw refusedMember(error, group, topic);
        due = true;
      }
      if (due) {
        void keepAlive(signal);
        return;
      }
      if (performance.now() - looked > METADATA_MS) {
        looked = performance.now();
        await client.refresh().catch(() => undefined);
        if ((await countOf(0)) > count) return;
      }
    }
  };

  /** Calls in flight may outlast a session, and the group waits for them. */
  const keepAlive = async (signal: AbortSignal) => {
    for (;;) {
      await sleep(HEARTBEAT_MS, signal);
      if (signal.aborted) return;
      try {
        await heartbeat();
      } catch (error) {
        if (FORGOTTEN.includes(typeOf(error) ?? '') && !signal.aborted) return forget();
      }
    }
  };

  return {
    async join(owned) {
      beats.abort();
      for (const deadline = performance.now() + AWAY_MS; ; ) {
        try {
          const partitions = await joinOnce(owned);
          const joined = { partitions, forgotten };
          forgotten = false;
          if (left) return joined;
          beats = new AbortController();
          rebalance = beat(beats.signal);
          rebalance.catch(() => undefined);
          return joined;
        } catch (error) {
          const type = typeOf(error) ?? '';
          if (left) throw error;
          if (FORGOTTEN.includes(type)) {
            forget();
          } else if (!REJOIN.includes(type) && !(isPassing(error) && performance.now() < deadline)) {
            throw refusedMember(error, group, topic);
          }
          await sleep(100);
        }
      }
    },
    get rebalance() {
      return rebalance;
    },
    async leave() {
      beats.abort();
      left = true;
      if (memberId === '') return;
      const id = memberId;
      memberId = '';
      // If this fails, the group waits until the session times out.
      await client
        .coordinated('group', group, performance.now() + HEARTBEAT_MS, (broker) =>
          broker.leaveGroup({ groupId: group, memberId: id }),
        )
        .catch(() => undefined);
    },
  };
}

function refusedMember(error: unknown, group: string, topic: string): unknown {
  if (typeOf(error) !== 'INCONSISTENT_GROUP_PROTOCOL') return userError(error, `reading as a member of the group ${group}`);
  return new ScoreBatchError(
    'configuration',
    `the group ${group} has members of another job, or members that do not read ${topic}`,
    {
      hint: 'set `group` in the job file to a name that no other job uses',
      cause: error,
    },
  );
}

// https://kafka.apache.org/protocol: ConsumerProtocolSubscription and ConsumerProtocolAssignment, version 0.

/** The user data holds the member's partitions, as JSON. */
function encodeSubscription(client: Client, topic: string, owned: readonly number[]): Buffer {
  const data = Buffer.from(JSON.stringify({ owned }));
  return client.encoder().writeInt16(0).writeInt32(1).writeString(topic).writeInt32(data.length).writeBuffer(data).buffer;
}

function ownedOf(subscription: Buffer): readonly number[] {
  const at = 8 + subscription.readInt16BE(6) + 4;
  try {
    const { owned } = JSON.parse(subscription.toString('utf8', at)) as { owned?: unknown };
    return Array.isArray(owned) ? owned.filter((one) => Number.isInteger(one)) : [];
  } catch {
    return [];
  }
}

function encodeAssignment(client: Client, topic: string, partitions: readonly number[]): Buffer {
  const encoder = client.encoder().writeInt16(0).writeInt32(1).writeString(topic).writeInt32(partitions.length);
  for (const partition of partitions) encoder.writeInt32(partition);
  return encoder.writeInt32(-1).buffer;
}

function decodeAssignment(assignment: Buffer): number[] {
  if (assignment.length < 8) return [];
  const at = 8 + assignment.readInt16BE(6);
  return Array.from({ length: assignment.readInt32BE(at) }, (_, i) => assignment.readInt32BE(at + 4 + 4 * i));
}
