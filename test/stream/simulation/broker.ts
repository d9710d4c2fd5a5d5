import type { Committed, LogRecord, OutputRecord, TopicFacts } from '../../../src/stream/log.ts';
import type { VirtualClock } from '../../simulation/virtual-clock.ts';

/** A place of the input topic: a record, or something that is never delivered (a marker, a record of an aborted transaction). */
type Entry = LogRecord | 'passed over';

export interface InputPartition {
  begin: number;
  readonly entries: Entry[];
  /** Records from here on are of transactions that are still open: read committed ends here. */
  stable: number;
}

/** What was written to an output topic. */
interface WrittenRecord {
  readonly record: OutputRecord;
  readonly transactionalId: string;
  state: 'open' | 'committed' | 'aborted';
}

interface TransactionalId {
  epoch: number;
  /** Committing: decided, but not visible everywhere yet. */
  state: 'empty' | 'ongoing' | 'committing';
  written: WrittenRecord[];
  offsets: { partition: number; committed: Committed } | undefined;
  /** Changes with every transaction, so that an alarm for an earlier one does nothing. */
  serial: number;
}

export interface BrokerOptions {
  readonly clock: VirtualClock;
  readonly partitions: number;
  readonly transactionTimeoutMs: number;
  /** Milliseconds from the decision of a commit until it is visible. */
  readonly commitMs: () => number;
  /** False for a broker that takes whatever a zombie sends. */
  readonly fences?: boolean;
}

export class Fenced extends Error {}
/** The coordinator still works on the transaction before. */
export class Concurrent extends Error {}

/** The state of all brokers. Each method is the effect of one request, at once and all of it. */
export interface Broker {
  readonly input: InputPartition[];
  /** All output topics in one log, in the order of arrival. */
  readonly output: WrittenRecord[];
  readonly committed: Map<number, Committed>;
  facts: Partial<TopicFacts>;
  /** The topic `events` is the input, all others are outputs. */
  describe(topic: string): TopicFacts;
  /** @throws Concurrent while a commit of the id is not visible everywhere */
  init(id: string): number;
  /** @throws Fenced, Concurrent */
  produce(id: string, epoch: number, records: readonly OutputRecord[]): void;
  /** @throws Fenced */
  addOffset(id: string, epoch: number, partition: number, committed: Committed): void;
  /** @throws Fenced */
  commit(id: string, epoch: number): void;
  /** @throws Concurrent while a transaction with an offset of the partition is open: `requireStable` */
  fetchCommitted(partition: number): Committed | undefined;
  fetch(partition: number, from: number, most: number): { records: LogRecord[]; next: number; end: number };
}

export function startBroker({ clock, partitions, transactionTimeoutMs, commitMs, fences = true }: BrokerOptions): Broker {
  const ids = new Map<string, TransactionalId>();
  const output: WrittenRecord[] = [];
  const committed = new Map<number, Committed>();
  const input: InputPartition[] = Array.from({ length: partitions }, () => ({ begin: 0, entries: [], stable: 0 }));
  const idOf = (id: string): TransactionalId => {
    const known = ids.get(id) ?? { epoch: -1, state: 'empty', written: [], offsets: undefined, serial: 0 };
    ids.set(id, known);
    return known;
  };
  const settle = (own: TransactionalId, state: 'committed' | 'aborted') => {
    for (const one of own.written) one.state = state;
    if (state === 'committed' && own.offsets !== undefined) committed.set(own.offsets.partition, own.offsets.committed);
    own.written = [];
    own.offsets = undefined;
    own.state = 'empty';
    own.serial += 1;
  };
  const writerOf = (id: string, epoch: number): TransactionalId => {
    const own = idOf(id);
    if (fences && own.epoch !== epoch) throw new Fenced(`epoch ${epoch} of ${id}: now it is ${own.epoch}`);
    if (own.state === 'committing') throw new Concurrent(id);
    return own;
  };
  const begin = (own: TransactionalId) => {
    if (own.state === 'ongoing') return;
    own.state = 'ongoing';
    const { serial } = own;
    void clock.sleep(transactionTimeoutMs).then(() => {
      if (own.serial !== serial || own.state !== 'ongoing') return;
      settle(own, 'aborted');
      own.epoch += 1;
    });
  };
  const self: Broker = {
    input,
    output,
    committed,
    facts: {},
    describe: (topic) => ({
      partitions:
        topic === 'events'
          ? input.map(({ begin: first, entries }, partition) => ({ partition, begin: first, end: entries.length }))
          : [{ partition: 0, begin: 0, end: output.filter(({ record }) => record.topic === topic).length }],
      compacted: false,
      deletes: true,
      retentionMs: 604_800_000,
      retentionBytes: undefined,
      maxMessageBytes: 1_048_588,
      minCompactionLagMs: undefined,
      minInSyncReplicas: 2,
      replicas: 3,
      ...self.facts,
    }),
    init(id) {
      const own = idOf(id);
      if (own.state === 'committing') throw new Concurrent(id);
      if (own.state === 'ongoing' && fences) settle(own, 'aborted');
      own.epoch += 1;
      return own.epoch;
    },
    produce(id, epoch, records) {
      const own = writerOf(id, epoch);
      begin(own);
      for (const record of records) {
        const one: WrittenRecord = { record, transactionalId: id, state: 'open' };
        own.written.push(one);
        output.push(one);
      }
    },
    addOffset(id, epoch, partition, offset) {
      const own = writerOf(id, epoch);
      begin(own);
      own.offsets = { partition, committed: offset };
    },
    commit(id, epoch) {
      const own = writerOf(id, epoch);
      if (own.state === 'empty') throw new Fenced(`${id} has no transaction`);
      own.state = 'committing';
      void clock.sleep(commitMs()).then(() => settle(own, 'committed'));
    },
    fetchCommitted(partition) {
      if ([...ids.values()].some((own) => own.offsets?.partition === partition)) throw new Concurrent(`partition ${partition}`);
      return committed.get(partition);
    },
    fetch(partition, from, most) {
      const { begin: first, entries, stable } = input[partition] as InputPartition;
      const records: LogRecord[] = [];
      let next = Math.max(from, first);
      for (; next < stable && records.length < most; next += 1) {
        const entry = entries[next];
        if (entry !== undefined && entry !== 'passed over') records.push(entry);
      }
      return { records, next, end: entries.length };
    },
  };
  return self;
}

/** What a consumer that reads committed records sees: nothing of or after a transaction that is still open. */
export function readCommitted({ output }: Broker): OutputRecord[] {
  const open = output.findIndex(({ state }) => state === 'open');
  const stable = open === -1 ? output : output.slice(0, open);
  return stable.filter(({ state }) => state === 'committed').map(({ record }) => record);
}
