import { ScoreBatchError } from '../../errors.ts';

/** A score as the stream wrote it; see docs/stream.md. */
export interface WrittenScore {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly score: number;
  readonly partition: number;
  readonly offset: number;
  readonly modelDigest: string;
  readonly featuresDigest: string;
  readonly idle: boolean;
  /** The window was capped by the limit per key, or `partial`: cut off where reading began. */
  readonly capped: boolean;
  /** Its features, as JSON. */
  readonly features: string;
}

/** A record of the dead-letter topic, read back. */
export interface WrittenRejection {
  readonly reason: string;
  readonly partition: number;
  readonly offset: number;
  /** Kafka's timestamp of the event, epoch milliseconds; beyond 2^53 if its producer writes another unit. */
  readonly timestamp: number;
  /** Event time, epoch milliseconds; undefined if it could not be read. */
  readonly time: number | undefined;
}

/**
 * @param where names the record in messages
 * @throws ScoreBatchError `configuration` if it is not a score
 */
export function readScore(text: string, where: string): WrittenScore {
  const record = objectOf(text);
  const { id, time, score, partition, offset, features, features_digest, idle, capped, partial, model } = record ?? {};
  const digest = (model as { readonly digest?: unknown } | null | undefined)?.digest;
  if (
    typeof id !== 'string' ||
    !isWhole(time) ||
    typeof score !== 'number' ||
    !isWhole(partition) ||
    !isWhole(offset) ||
    typeof features_digest !== 'string' ||
    typeof digest !== 'string'
  ) {
    throw otherRecord(where, 'score', 'the topic output.scores, or the file after --out');
  }
  return {
    ...{ id, time, score, partition, offset, modelDigest: digest, featuresDigest: features_digest },
    idle: idle === true,
    capped: capped === true || partial === true,
    features: JSON.stringify(features ?? {}),
  };
}

/**
 * @param where names the record in messages
 * @throws ScoreBatchError `configuration` if it is not a dead letter
 */
export function readRejection(text: string, where: string): WrittenRejection {
  const { reason, partition, offset, timestamp, time } = objectOf(text) ?? {};
  if (typeof reason !== 'string' || !isWhole(partition) || !isWhole(offset) || !Number.isInteger(timestamp)) {
    throw otherRecord(where, 'dead letter', 'the topic output.dead_letter, or the file after --dead-letter');
  }
  return { reason, partition, offset, timestamp: timestamp as number, time: isWhole(time) ? time : undefined };
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function otherRecord(where: string, what: string, from: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `${where} is not a ${what} of score-batch stream`, {
    hint: `use what the stream wrote: ${from}`,
  });
}
