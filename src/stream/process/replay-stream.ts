import { createHash } from 'node:crypto';
import type { Console } from '../../terminal/console.ts';
import type { EventRejection } from '../event.ts';
import { openKafka } from '../kafka/open.ts';
import type { Log } from '../log.ts';
import type { FlowObserver } from '../partition/ports.ts';
import { type Replayed, replay } from '../partition/replay.ts';
import { createDecoder } from '../score/decode.ts';
import { openScorer } from '../score/open-scorer.ts';
import { createRecordWriter } from '../score/outputs.ts';
import type { Scorer } from '../scorer.ts';
import type { StreamSettings } from '../settings.ts';
import { createPartitionWindow } from '../window/window.ts';
import { attributesInUse } from './attributes-in-use.ts';
import { CLOCK } from './clock.ts';
import { tellOf } from './told.ts';
import { describeTopics } from './topic-checks.ts';

export interface ReplayRun {
  /** Of the job, with the model to score with. */
  readonly settings: StreamSettings;
  /** Event times `[from, to)` in epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Receives the scores. */
  readonly topic: string;
  /** Receives dead letters; if undefined, they are only counted. */
  readonly deadLetter: string | undefined;
  readonly hashKey: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly console: Pick<Console, 'info' | 'warn' | 'debug'>;
  readonly signal: AbortSignal;
}

/** What one call of a replay did, without an earlier call that it continues. */
export interface ReplaySummary extends Replayed {
  readonly model: Pick<Scorer, 'name' | 'version' | 'digest'>;
  /** When the attributes were loaded, epoch milliseconds; undefined without any. */
  readonly attributesAt: number | undefined;
  readonly scored: number;
  /** How many of these. */
  readonly idle: number;
  readonly capped: number;
  readonly duplicates: number;
  readonly rejected: ReadonlyMap<EventRejection, number>;
}

/**
 * Scores a stretch of the input once more, into a separate topic.
 *
 * @throws ScoreBatchError as `replay` does; `configuration` if a topic is missing or the bundle does not fit
 */
export async function replayStream(run: ReplayRun): Promise<ReplaySummary> {
  const { settings, topic, deadLetter, console, signal, environment } = run;
  const { features, limits, kafka, group } = settings;
  const failing = new AbortController();
  const either = AbortSignal.any([signal, failing.signal]);
  const closing: (() => Promise<void>)[] = [];
  try {
    const log: Log = await openKafka(kafka);
    closing.push(() => log.close());
    const named = [
      { key: 'input', name: settings.input },
      { key: '--topic', name: topic },
      ...(deadLetter === undefined ? [] : [{ key: '--dead-letter', name: deadLetter }]),
    ];
    const { mostBytes } = await describeTopics(log, named, kafka.brokers, (message) => console.warn(message));
    const fail = (error: unknown) => failing.abort(error);
    const attributes = await attributesInUse(settings, { log, environment, console, signal: either, fail });
    if (attributes !== undefined) closing.push(() => attributes.close());
    const scorer = await openScorer({ ...settings, attributes: attributes?.columns ?? [] });
    closing.push(() => scorer.close());
    const told = tellOf(console, undefined);
    closing.push(async () => told.end());
    const { counts, observer } = countingWith(told);
    const writer = createRecordWriter(
      { ...settings, output: { scores: topic, deadLetter: deadLetter ?? '', alerts: undefined }, alertOn: [] },
      run.hashKey,
    );
    const replayed = await replay({
      ...{ log, attributes, scorer, mostBytes, observer, clock: CLOCK, random: Math.random, signal: either },
      settings: { ...settings, group: `${group}-replay-${topic}` },
      stretch: { from: run.from, to: run.to, scope: scopeOf(run, scorer) },
      topics: deadLetter === undefined ? [topic] : [topic, deadLetter],
      windowOf: createPartitionWindow,
      decode: createDecoder(features, limits.messageBytes),
      outputs: deadLetter === undefined ? { ...writer, rejected: () => undefined } : writer,
    });
    const { name, version, digest } = scorer;
    return { ...replayed, ...counts, model: { name, version, digest }, attributesAt: attributes?.loadedAt };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** Digest of all that decides what is written, except attributes. */
export function scopeOf(
  { settings, from, to, deadLetter }: Pick<ReplayRun, 'settings' | 'from' | 'to' | 'deadLetter'>,
  { digest, definitionDigest }: Pick<Scorer, 'digest' | 'definitionDigest'>,
): string {
  const { features, scoreClass, renamed, decisions, limits } = settings;
  const model = [digest, definitionDigest];
  const { eventsPerKey, messageBytes } = limits;
  const all = [from, to, model, features.digest, scoreClass, renamed, decisions, eventsPerKey, messageBytes, deadLetter];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 16);
}

/** Counts what is committed, and forwards to another observer. */
function countingWith(told: FlowObserver) {
  const rejected = new Map<EventRejection, number>();
  const counts = { scored: 0, idle: 0, capped: 0, duplicates: 0, rejected };
  const observer: FlowObserver = {
    ...told,
    committed(partition, facts) {
      told.committed(partition, facts);
      counts.scored += facts.events.length;
      counts.duplicates += facts.duplicates;
      for (const { idle, capped } of facts.events) {
        if (idle) counts.idle += 1;
        if (capped) counts.capped += 1;
      }
      for (const [reason, count] of facts.rejected) rejected.set(reason, (rejected.get(reason) ?? 0) + count);
    },
  };
  return { counts, observer };
}
