import { ScoreBatchError } from '../../errors.ts';
import { FencedError, type LogBatch, type Member, type Subscription, TransactionError } from '../log.ts';
import { watchIdle } from './idle.ts';
import { describeInput, refuseMovedKeys } from './input.ts';
import { rememberKeyPlaces } from './key-places.ts';
import { type OpenPartition, openPartition, reachable } from './open-partition.ts';
import { workOn } from './partition-work.ts';
import { keepPauses } from './pauses.ts';
import type { Flow, FlowOptions } from './ports.ts';
import { countRestarts, RESTART_LIMITS, type RestartLimits } from './restarts.ts';
import { useScorer } from './scorer-in-use.ts';
import { limitState } from './state-limit.ts';
import { takeTurns } from './turns.ts';

/** How often the topic is looked at: not every client says by a rebalance that partitions were added. */
const LOOK_MS = 60_000;
/** How long a restart waits for the membership that it needs, if `assigned` was called before that was there. */
const JOINING_MS = 100;

/**
 * Per partition: open a producer, which fences earlier ones; read what is committed; make the window again from the input; then
 * add events, score those that are due, and commit outputs and position in one transaction. After a failure all of that again.
 *
 * @param limits for tests
 */
export function createFlow(options: FlowOptions, limits: RestartLimits = RESTART_LIMITS): Flow {
  const { log, settings, clock, observer } = options;
  const { input, group, features } = settings;
  const owned = new Set<number>();
  const opens = new Map<number, OpenPartition>();
  const restarting = new Map<number, () => void>();
  const closing = new Set<Promise<void>>();
  const turns = takeTurns();
  const scorers = useScorer(options.scorer);
  const restarts = countRestarts(input, limits, { now: () => clock.now(), random: options.random });
  const work = workOn({ options, scorers, places: rememberKeyPlaces() });
  const pauses = keepPauses(() => subscription);
  let subscription: Subscription | undefined;
  let ended = false;
  let paused = false;
  let full = false;
  let cancelLook: (() => void) | undefined;

  const state = limitState({
    most: settings.limits.stateBytes,
    bytes: () => sumOf(opens.values(), bytesOf),
    clock,
    pause(isFull, bytes) {
      full = isFull;
      for (const partition of owned) full ? pauses.add(partition, 'state') : pauses.remove(partition, 'state');
      if (full) observer.statePaused(bytes);
    },
    onFatal: (error) => end(error),
  });
  const idle = watchIdle({
    clock,
    log,
    settings,
    isPaused: (partition) => pauses.has(partition),
    flush: (open) => attempt(open, () => work.flush(open)),
    turn(open, begun) {
      void turns.take(open.partition, async () => {
        if (!ended && opens.get(open.partition) === open) await begun();
      });
    },
  });

  const stop = () => {
    ended = true;
    cancelLook?.();
    state.stop();
    for (const partition of [...restarting.keys()]) cancelRestart(partition);
    for (const open of opens.values()) open.cancelIdle?.();
  };
  const end = (error: unknown) => {
    if (ended) return;
    stop();
    options.onFatal(error);
  };
  const drop = (partition: number) => {
    const open = opens.get(partition);
    if (open === undefined) return;
    opens.delete(partition);
    open.cancelIdle?.();
    const closed = open.producer.close().catch(() => undefined);
    closing.add(closed);
    void closed.then(() => closing.delete(closed));
    state.check();
  };
  const cancelRestart = (partition: number) => {
    restarting.get(partition)?.();
    restarting.delete(partition);
    pauses.remove(partition, 'restart');
  };
  const restartIn = (partition: number, ms: number) => {
    const begin = () => {
      if (subscription === undefined) return restartIn(partition, JOINING_MS);
      cancelRestart(partition);
      subscription.restart(partition);
    };
    restarting.set(partition, clock.after(ms, begin));
  };
  const failed = (partition: number, error: unknown) => {
    drop(partition);
    if (ended) return;
    if (!(error instanceof FencedError || error instanceof TransactionError)) return end(error);
    try {
      const ms = restarts.failed(partition, error);
      observer.restarting(partition, error, ms);
      pauses.add(partition, 'restart');
      restartIn(partition, ms);
    } catch (final) {
      end(final);
    }
  };
  const attempt = async (open: OpenPartition, begun: () => Promise<void>) => {
    const { committed } = open;
    try {
      await begun();
      if (open.committed !== committed) restarts.committed(open.partition);
    } catch (error) {
      failed(open.partition, error);
    }
  };
  /** What this process has of a partition, if no other one has written since. */
  const held = async (partition: number): Promise<OpenPartition | undefined> => {
    const open = opens.get(partition);
    if (open === undefined) return undefined;
    try {
      const committed = await reachable(open.producer.committed());
      const { offset, metadata } = open.committed;
      if (committed?.offset === offset && committed.metadata === metadata) return open;
    } catch (error) {
      if (!(error instanceof FencedError || error instanceof TransactionError)) throw error;
    }
    return undefined;
  };
  const assign = async (partition: number, kept: boolean): Promise<number> => {
    const before = kept ? await held(partition) : undefined;
    if (before === undefined) drop(partition);
    const open = before ?? (await openPartition(partition, scorers.current.digest, options));
    opens.set(partition, open);
    for (const other of opens.values()) refuseMovedKeys(input, other.partitions, open.partitions);
    const from = open.expected === undefined ? open.window.position : open.from;
    observer.assigned(partition, { from, position: open.committed.offset, kept: before !== undefined });
    idle.watch(open);
    return from;
  };

  const member: Member = {
    assigned: (partition, kept) =>
      turns.take(partition, async () => {
        if (ended) return 0;
        cancelRestart(partition);
        owned.add(partition);
        if (paused) pauses.add(partition, 'operator');
        if (full) pauses.add(partition, 'state');
        pauses.apply(partition);
        try {
          return await assign(partition, kept);
        } catch (error) {
          failed(partition, error);
          // Batches of a partition that is not open are ignored, and it is paused until it is restarted.
          return 0;
        }
      }),
    batch: (batch: LogBatch) =>
      turns.take(batch.partition, async () => {
        const open = opens.get(batch.partition);
        if (ended || open === undefined) return;
        await attempt(open, () => work.batch(open, batch));
        if (ended || opens.get(batch.partition) !== open) return;
        idle.watch(open);
        state.check();
      }),
    async revoked(partitions) {
      const begun = partitions.map((partition) =>
        turns.take(partition, async () => {
          owned.delete(partition);
          cancelRestart(partition);
          pauses.forget(partition);
          drop(partition);
          observer.revoked(partition);
        }),
      );
      await Promise.all(begun);
    },
  };

  const look = () => {
    cancelLook = clock.after(LOOK_MS, async () => {
      try {
        const facts = await describeInput(log, input, features);
        for (const { partitions } of opens.values()) refuseMovedKeys(input, partitions, facts.partitions.length);
      } catch (error) {
        if (!(error instanceof ScoreBatchError && error.kind === 'unavailable')) end(error);
      }
      if (!ended) look();
    });
  };

  return {
    async start() {
      await describeInput(log, input, features);
      const joined = await log.subscribe(input, group, member);
      subscription = joined;
      joined.ended.catch(end);
      if (ended) await joined.close();
      else look();
    },
    swap: (scorer) => scorers.swap(scorer),
    pause() {
      paused = true;
      for (const partition of owned) pauses.add(partition, 'operator');
    },
    resume() {
      paused = false;
      for (const partition of owned) pauses.remove(partition, 'operator');
    },
    get partitions() {
      return [...opens.values()].map((open) => ({
        partition: open.partition,
        position: open.window.position,
        end: open.newest?.end ?? open.window.position,
        rebuilding: open.window.rebuilding,
        keys: open.window.keys,
        events: open.window.events,
        pending: open.window.pending,
        bytes: bytesOf(open),
      }));
    },
    async finish() {
      stop();
      await subscription?.close();
      await turns.ended();
      for (const partition of [...opens.keys()]) drop(partition);
      await Promise.all(closing);
    },
  };
}

function bytesOf({ window, unscoredBytes }: OpenPartition): number {
  return window.bytes + unscoredBytes;
}

function sumOf<T>(values: Iterable<T>, of: (value: T) => number): number {
  let sum = 0;
  for (const value of values) sum += of(value);
  return sum;
}
