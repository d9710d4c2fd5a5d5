import { ScoreBatchError } from '../../errors.ts';
import type { Attributes } from '../attributes.ts';
import type { Log, TopicFacts } from '../log.ts';
import type { AttributeSettings } from '../settings.ts';
import { neededColumns } from './needed.ts';
import type { AttributeOptions } from './options.ts';
import { passed } from './pause.ts';
import { checkSame, checkTopic } from './topic-checks.ts';
import { type TopicEnds, topicEnds } from './topic-ends.ts';
import { topicRows } from './topic-rows.ts';

type TopicSettings = Extract<AttributeSettings, { readonly topic: string }>;

const WATCH_MS = 30_000;

/** The newest row of each key of a compacted topic, which is read from begin to end and then followed. */
export async function openTopic(settings: TopicSettings, options: AttributeOptions): Promise<Attributes> {
  const { topic, columns: declared, maxLagMs } = settings;
  const { log, horizonMs, limits, warn, onRefresh } = options;
  const facts = checkTopic(await log.describe(topic), { topic, horizonMs, maxLagMs });
  options.signal.throwIfAborted();
  const columns = neededColumns(declared, options.need, 'attributes.columns of the job file');
  const rows = topicRows({ topic, columns, limits, warn });
  const ends = topicEnds(facts);
  const next = new Map(facts.partitions.map(({ partition, begin }) => [partition, begin]));
  let loadedAt = Date.now();

  const closing = new AbortController();
  const signal = AbortSignal.any([closing.signal, options.signal]);
  const reading = log.read(
    topic,
    new Map(next),
    async (batch) => {
      rows.add(batch);
      next.set(batch.partition, batch.next);
      loadedAt = Date.now();
      ends.reached(batch.partition, batch.next);
      onRefresh?.();
    },
    signal,
  );
  const followed = { topic, facts, next, signal };
  const watching = watch(followed, options, ends);
  // Undefined if the signal ended it.
  const ended = Promise.race([reading, watching]).then(
    () => (signal.aborted ? undefined : new Error(`reading the attribute topic ${topic} ended`)),
    (error: unknown) => (signal.aborted ? undefined : whyEnded(error, followed, log)),
  );
  const close = async (): Promise<void> => {
    closing.abort();
    await Promise.allSettled([reading, watching]);
  };
  const error = await Promise.race([ends.all, ended]);
  if (error !== undefined || options.signal.aborted) {
    await close();
    throw error ?? options.signal.reason;
  }
  void ended.then((later) => {
    if (later === undefined || signal.aborted) return;
    closing.abort();
    options.onFailure(later);
  });
  return {
    columns,
    find: (key) => rows.table.find(key),
    get rows() {
      return rows.table.rows;
    },
    get bytes() {
      return rows.table.bytes;
    },
    get loadedAt() {
      return loadedAt;
    },
    close,
  };
}

interface Followed {
  readonly topic: string;
  /** The topic when it was opened. */
  readonly facts: TopicFacts;
  /** Next offset of each partition. */
  readonly next: ReadonlyMap<number, number>;
  readonly signal: AbortSignal;
}

/** Checks periodically, until the signal is aborted, that the topic is still the same. @throws as `checkSame` does */
async function watch({ topic, facts, next, signal }: Followed, options: AttributeOptions, ends: TopicEnds): Promise<void> {
  let behind = '';
  while (await passed(options.watchMs ?? WATCH_MS, signal)) {
    const before = new Map(next);
    const now = await options.log.describe(topic).catch((error: unknown) => {
      // Brokers come back, and reading resumes; if they do not, reading itself fails.
      if (!signal.aborted) options.warn(`the attribute topic ${topic} cannot be checked: ${(error as Error).message}`);
      return 'unknown' as const;
    });
    if (now !== 'unknown') checkSame(topic, now, facts, before);
    const still = ends.behind(next);
    if (still !== '' && still === behind)
      options.warn(`the attribute topic ${topic} has not been read to its end yet: ${still}`);
    behind = still;
  }
}

/** If the topic was deleted, returns that as the reason: readers end with whatever error the broker gives them. */
async function whyEnded(error: unknown, { topic, facts, next }: Followed, log: Log): Promise<unknown> {
  try {
    checkSame(topic, await log.describe(topic), facts, next);
  } catch (other) {
    if (other instanceof ScoreBatchError && other.kind === 'configuration') return other;
  }
  return error;
}
