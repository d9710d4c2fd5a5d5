import { ScoreBatchError } from '../../errors.ts';
import { FencedError, TransactionError } from '../log.ts';
import { describeInput } from './input-topic.ts';
import { rememberKeyPlaces } from './key-places.ts';
import { lookAtCommitted } from './look.ts';
import { modelOf, parseMetadata } from './metadata.ts';
import { type OpenPartition, openPartition } from './open-partition.ts';
import { bytesOf } from './open-partitions.ts';
import { type PartitionWork, workOn } from './partition-work.ts';
import type { FlowOptions } from './ports.ts';
import { countRestarts, RESTART_LIMITS, type Restarts } from './restarts.ts';
import { useScorer } from './scorer-in-use.ts';
import { type Stretch, startsOf } from './stretch.ts';

/** The group belongs to the replay alone: offsets are committed for it, but nobody joins it. */
export interface ReplayOptions
  extends Omit<FlowOptions, 'start' | 'acceptNewGroup' | 'acceptFeatures' | 'onFatal' | 'stretch'> {
  readonly stretch: Stretch;
  /** Output topics. */
  readonly topics: readonly string[];
  readonly signal: AbortSignal;
}

/** How a replay ended. */
export interface Replayed {
  readonly partitions: number;
  /** Whether an earlier call with the same scope had begun. */
  readonly continued: boolean;
  /** Partitions in which events of the stretch may still come without being late. */
  readonly unsettled: readonly number[];
}

/**
 * Scores the events of a stretch once more, partition by partition, each until no event of the stretch can still come or up to
 * its end at the start. Outputs and position are committed in one transaction, so that the same call continues after a crash.
 *
 * If the topics are empty it starts over, whatever is committed. All partitions are begun before anything is written, so that
 * commits always match the topics' contents.
 *
 * @throws ScoreBatchError `refused` if the topics hold something else, `configuration` if the stretch cannot be scored exactly,
 * `conflict` if another process writes the same replay, `unavailable`
 */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { log, settings, stretch, scorer, signal } = options;
  const { input: topic, features } = settings;
  const facts = await describeInput(log, topic, features);
  const restarts = restartsOf(options);
  const continued = await attempts(0, { options, restarts }, () => isBegun(options, facts.partitions.length));
  const start = continued ? new Map<number, number>() : await startsOf(stretch, { log, topic, features }, facts);
  const flow = { ...options, start, acceptNewGroup: true, acceptFeatures: false };
  const tools = { options: flow, scorers: useScorer(scorer), places: rememberKeyPlaces() };
  const replaying = { options, flow, restarts, work: workOn(tools) };
  if (!continued) {
    for (const { partition } of facts.partitions) {
      await attempts(partition, replaying, async () => {
        await (await openPartition(partition, modelOf(scorer), flow, { anew: true })).producer.close();
      });
    }
  }
  const unsettled: number[] = [];
  for (const { partition, end } of facts.partitions) {
    signal.throwIfAborted();
    if (!(await attempts(partition, replaying, () => readTo(end, partition, replaying)))) unsettled.push(partition);
  }
  return { partitions: facts.partitions.length, continued, unsettled };
}

interface Replaying {
  readonly options: ReplayOptions;
  readonly flow: Parameters<typeof openPartition>[2];
  readonly work: PartitionWork;
  readonly restarts: Restarts;
}

function restartsOf({ settings, clock, random }: ReplayOptions): Restarts {
  return countRestarts(settings.input, RESTART_LIMITS, { now: () => clock.elapsed(), random });
}

/** @returns whether no event of the stretch can still come */
async function readTo(end: number, partition: number, { options, flow, work, restarts }: Replaying): Promise<boolean> {
  const { log, settings, stretch, scorer } = options;
  const open = await openPartition(partition, modelOf(scorer), flow);
  const { window } = open;
  const ends = () => !window.rebuilding && (isSettled(open) || window.position >= end);
  const isSettled = ({ window: { rebuilding } }: OpenPartition): boolean => {
    const { maximum } = rebuilding ? open.checkpoint : window.checkpoint();
    return maximum !== null && maximum - settings.features.latenessMs >= stretch.to;
  };
  try {
    // The committed state may show that nothing is left.
    if (isSettled(open)) return true;
    if (!ends()) {
      const stop = new AbortController();
      const from = open.expected === undefined ? window.position : open.from;
      await log.read(
        settings.input,
        new Map([[partition, from]]),
        async (batch) => {
          const { committed } = open;
          await work.batch(open, batch);
          if (open.committed !== committed) restarts.committed(partition);
          refuseBeyond(settings.limits.stateBytes, open);
          if (ends()) stop.abort();
        },
        AbortSignal.any([options.signal, stop.signal]),
      );
      options.signal.throwIfAborted();
    }
    if (isSettled(open)) return true;
    await work.flush(open);
    return false;
  } finally {
    await open.producer.close();
  }
}

/** The outcome of a failed transaction is known only from what is committed. */
async function attempts<T>(
  partition: number,
  { options, restarts }: Pick<Replaying, 'options' | 'restarts'>,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof FencedError) throw taken(options, error);
      if (!(error instanceof TransactionError)) throw error;
      const ms = restarts.failed(partition, error);
      options.observer.restarting(partition, error, ms);
      await new Promise<void>((resolve) => options.clock.after(ms, resolve));
      options.signal.throwIfAborted();
    }
  }
}

/**
 * Whether an earlier call of the same replay has written, or may have.
 *
 * @throws ScoreBatchError `refused` if something else has written
 */
async function isBegun({ log, settings, stretch, topics }: ReplayOptions, partitions: number): Promise<boolean> {
  const { group, input: topic } = settings;
  const filled: string[] = [];
  for (const name of topics) {
    const facts = await log.describe(name);
    if (facts?.partitions.some(({ begin, end }) => end > begin)) filled.push(name);
  }
  if (filled.length === 0) return false;
  for (let partition = 0; partition < partitions; partition += 1) {
    const committed = await lookAtCommitted(log, { group, topic, partition });
    const where = `group ${group}, partition ${partition} of topic ${topic}`;
    if (committed === undefined || parseMetadata(committed.metadata, committed.offset, where).scope !== stretch.scope) {
      throw new ScoreBatchError(
        'refused',
        `topic ${filled.join(', ')} is not empty, and its records are not from this replay`,
        {
          hint: 'use an empty topic; to continue a replay, keep its --from, --to, model, features and topics',
        },
      );
    }
  }
  return true;
}

function taken({ topics }: ReplayOptions, cause: Error): ScoreBatchError {
  return new ScoreBatchError('conflict', `another process is writing a replay to ${topics[0]}`, {
    hint: 'let it finish, or stop it and run the same command again to continue',
    cause,
  });
}

function refuseBeyond(most: number, open: OpenPartition): void {
  const bytes = bytesOf(open);
  if (bytes <= most) return;
  throw new ScoreBatchError(
    'unavailable',
    `the windows of partition ${open.partition} take ${bytes} bytes, more than limits.state (${most})`,
    {
      hint: 'raise limits.state, lower limits.events_per_key, or use shorter windows',
    },
  );
}
