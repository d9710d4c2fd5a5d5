import { ScoreBatchError } from '../../errors.ts';
import { FencedError, type LogBatch, type Subscription, TransactionError } from '../log.ts';
import { watchIdle } from './idle.ts';
import { describeInput, refuseMovedKeys } from './input-topic.ts';
import { rememberKeyPlaces } from './key-places.ts';
import { modelOf, ownerOf } from './metadata.ts';
import { refuseNewGroup } from './new-group.ts';
import type { OpenPartition } from './open-partition.ts';
import { bytesOf, openPartitions } from './open-partitions.ts';
import { workOn } from './partition-work.ts';
import { keepPauses } from './pauses.ts';
import type { Flow, FlowOptions, PartitionState } from './ports.ts';
import { timeRestarts } from './restart-timers.ts';
import { countRestarts, RESTART_LIMITS, type RestartLimits } from './restarts.ts';
import { useScorer } from './scorer-in-use.ts';
import { limitState } from './state-limit.ts';
import { takeTurns } from './turns.ts';

/** How often to check the topic: not every client rebalances when partitions are added. */
const LOOK_MS = 60_000;
/** By then a new member's partitions have been assigned. */
const JOINED_MS = 15_000;

/**
 * Per partition: opens a producer, which fences earlier ones; reads what is committed; rebuilds the window from the input; then
 * adds events, scores those that are due, and commits outputs and position in one transaction. A failure starts all of that
 * again.
 *
 * @param limits for tests
 */
export function createFlow(options: FlowOptions, limits: RestartLimits = RESTART_LIMITS): Flow {
  const { log, settings, clock, observer } = options;
  const { input, group, features } = settings;
  const assigned = new Set<number>();
  const turns = takeTurns();
  const scorers = useScorer(options.scorer);
  const restarts = countRestarts(input, limits, { now: () => clock.elapsed(), random: options.random });
  const opens = openPartitions(options);
  const work = workOn({ options, scorers, places: rememberKeyPlaces() });
  let subscription: Subscription | undefined;
  const pauses = keepPauses(() => subscription);
  const timers = timeRestarts(clock, pauses, () => subscription);
  let joinedAt = 0;
  let ended = false;
  let paused = false;
  let full = false;
  let cancelLook: (() => void) | undefined;

  const stop = () => {
    ended = true;
    cancelLook?.();
    state.stop();
    timers.cancelAll();
    for (const open of opens.all()) open.cancelIdle?.();
  };
  const end = (error: unknown) => {
    if (ended) return;
    stop();
    options.onFatal(error);
  };
  const state = limitState({
    most: settings.limits.stateBytes,
    bytes: () => opens.bytes,
    clock,
    pause(isFull, bytes) {
      full = isFull;
      for (const partition of assigned) full ? pauses.add(partition, 'state') : pauses.remove(partition, 'state');
      if (full) observer.statePaused(bytes);
    },
    onFatal: end,
  });
  /** The outcome of a failed transaction is known only from what is committed. */
  const failed = (partition: number, error: unknown) => {
    opens.drop(partition);
    if (ended) return;
    if (!(error instanceof FencedError || error instanceof TransactionError)) return end(error);
    try {
      const ms = restarts.failed(partition, error);
      observer.restarting(partition, error, ms);
      timers.set(partition, ms);
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
    if (!ended) state.check();
  };
  /** Unless it was closed meanwhile. */
  const inTurn = (open: OpenPartition, begun: () => Promise<void>) =>
    turns.take(open.partition, async () => {
      if (opens.get(open.partition) === open) await begun();
    });
  const idle = watchIdle({
    clock,
    log,
    settings,
    isPaused: (partition) => pauses.has(partition),
    flush: (open) => attempt(open, () => work.flush(open)),
    turn: (open, begun) => void inTurn(open, async () => (ended ? undefined : await begun())),
  });
  const member = {
    assigned: (partition: number, kept: boolean) =>
      turns.take(partition, async () => {
        if (ended) return 0;
        timers.cancel(partition);
        assigned.add(partition);
        if (paused) pauses.add(partition, 'operator');
        if (full) pauses.add(partition, 'state');
        pauses.apply(partition);
        try {
          const { open, kept: held } = await opens.open(partition, kept, modelOf(scorers.current));
          const from = open.expected === undefined ? open.window.position : open.from;
          observer.assigned(partition, { from, position: open.committed.offset, kept: held, begins: open.begins && !held });
          restarts.opened(partition);
          idle.watch(open);
          return from;
        } catch (error) {
          failed(partition, error);
          // Ignore batches of a partition that is not open; it is paused until it is restarted.
          return 0;
        }
      }),
    batch: (batch: LogBatch, isWanted: () => boolean) =>
      turns.take(batch.partition, async () => {
        const open = opens.get(batch.partition);
        if (ended || open === undefined) return undefined;
        let rest: LogBatch | undefined;
        await attempt(open, async () => {
          rest = await work.batch(open, batch, () => !ended && isWanted());
        });
        if (!ended && opens.get(batch.partition) === open) idle.watch(open);
        return rest;
      }),
    async revoked(partitions: readonly number[]) {
      const begun = partitions.map((partition) =>
        turns.take(partition, async () => {
          assigned.delete(partition);
          timers.cancel(partition);
          pauses.forget(partition);
          opens.drop(partition);
          observer.revoked(partition);
        }),
      );
      await Promise.all(begun);
      if (!ended) state.check();
    },
  };
  const look = () => {
    cancelLook = clock.after(LOOK_MS, async () => {
      try {
        const facts = await describeInput(log, input, features);
        for (const open of opens.all()) {
          refuseMovedKeys(input, open.partitions, facts.partitions.length);
          // Paused, or with an open transaction in it, a partition has no batch that says so.
          open.end = Math.max(open.end, facts.partitions.find(({ partition }) => partition === open.partition)?.end ?? 0);
        }
      } catch (error) {
        if (!(error instanceof ScoreBatchError && error.kind === 'unavailable')) end(error);
      }
      if (ended) return;
      for (const open of opens.all()) void inTurn(open, () => attempt(open, () => work.settle(open)));
      look();
    });
  };
  return {
    async start() {
      const { partitions } = await describeInput(log, input, features);
      if (!options.acceptNewGroup) await refuseNewGroup({ ...options, restarts }, partitions.length);
      const { job, scores } = ownerOf(settings);
      const joined = await log.subscribe(input, group, member, [`job ${job}`, `scores ${scores}`]);
      subscription = joined;
      joinedAt = clock.elapsed();
      joined.ended.catch(end);
      if (ended) await joined.close();
      else look();
    },
    swap: (scorer) => scorers.swap(scorer),
    pause() {
      paused = true;
      for (const partition of assigned) pauses.add(partition, 'operator');
    },
    resume() {
      paused = false;
      for (const partition of assigned) pauses.remove(partition, 'operator');
    },
    get ready() {
      if (ended || subscription === undefined) return false;
      // With more processes than partitions, a process may get none.
      const isGiven = assigned.size > 0 || clock.elapsed() - joinedAt > JOINED_MS;
      return isGiven && [...assigned].every((partition) => opens.get(partition)?.window.rebuilding === false);
    },
    get partitions() {
      return [...opens.all()].map(stateOf);
    },
    async finish() {
      stop();
      const settled = [...opens.all()].map((open) => inTurn(open, () => work.settle(open)));
      // If that fails, all that matters is committed nevertheless.
      await Promise.allSettled(settled);
      await subscription?.close();
      await turns.ended();
      for (const { partition } of [...opens.all()]) opens.drop(partition);
      await opens.closed();
    },
  };
}

function stateOf(open: OpenPartition): PartitionState {
  const { partition, window, newest, end } = open;
  return {
    partition,
    position: window.position,
    end: Math.max(end, newest?.end ?? 0, window.position),
    rebuilding: window.rebuilding,
    keys: window.keys,
    events: window.events,
    pending: window.pending,
    bytes: bytesOf(open),
  };
}
