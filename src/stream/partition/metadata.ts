import { createHash } from 'node:crypto';
import { ScoreBatchError } from '../../errors.ts';
import { type EventFeatures, horizonMs } from '../../event-features/definition.ts';
import type { LogRecord } from '../log.ts';
import type { WindowCheckpoint } from '../partition-window.ts';
import type { Scorer } from '../scorer.ts';

/** Kafka's default of `offset.metadata.max.bytes`. */
const MOST_BYTES = 4096;
const VERSION = 1;

/** The last record read; a topic that was recreated has another one there. */
export interface LastRecord {
  readonly offset: number;
  /** See `checksumOf`. */
  readonly checksum: string;
}

/** The job that a group belongs to. Another name or another topic is a change of the job; both are another job. */
export interface Owner {
  readonly job: string;
  /** Topic of its scores. */
  readonly scores: string;
}

/** Committed with the offset of a partition: from it, another process continues as if it had been there all along. */
export interface PartitionMetadata {
  readonly checkpoint: WindowCheckpoint;
  /** Partitions of the input topic. If their number changes, keys have moved. */
  readonly partitions: number;
  /** Null if nothing was read yet. */
  readonly last: LastRecord | null;
  /** The first offset of an accepted event that is not scored yet; the position if there is none. */
  readonly pending: number;
  /** Scores of events up to this time are `partial`; `next`: decided by the first record read; null for none. */
  readonly partial: number | 'next' | null;
  /** Digest of the feature file, and of its part that decides which events are scored: see `rulesOf`. */
  readonly features: string;
  readonly rules: string;
  /** Decides what is an event: see `decodingOf`. */
  readonly decoding: string;
  /** See `modelOf`. */
  readonly model: string;
  /** Events that became due at this position or later were scored by this model. */
  readonly modelSince: number;
  /** For a replay; see `Stretch`. */
  readonly scope?: string | undefined;
  /** Undefined if a version before 0.2.0 committed it. */
  readonly owner?: Owner | undefined;
}

type Form = {
  readonly [name in keyof typeof FORM]: (typeof FORM)[name] extends (value: unknown) => value is infer T ? T : never;
};

const FORM = {
  v: isWhole,
  position: isWhole,
  replay: (value: unknown): value is [number, number | null] =>
    Array.isArray(value) && value.length === 2 && isWhole(value[0]) && isWholeOrNull(value[1]),
  maximum: isWholeOrNull,
  frontier: isWholeOrNull,
  flushed: isWhole,
  partitions: isWhole,
  last: (value: unknown): value is [number, string] | null =>
    value === null || (Array.isArray(value) && value.length === 2 && isWhole(value[0]) && isText(value[1])),
  pending: isWhole,
  partial: (value: unknown): value is number | 'next' | null => value === 'next' || isWholeOrNull(value),
  features: isText,
  rules: isText,
  decoding: isText,
  model: isText,
  since: isWhole,
} as const;

/** @throws RangeError if the result is longer than Kafka accepts */
export function encodeMetadata(metadata: PartitionMetadata): string {
  const { checkpoint, last } = metadata;
  const text = JSON.stringify({
    v: VERSION,
    position: checkpoint.position,
    replay: [checkpoint.replay.offset, checkpoint.replay.maximum],
    maximum: checkpoint.maximum,
    frontier: checkpoint.frontier,
    flushed: checkpoint.flushed,
    partitions: metadata.partitions,
    last: last === null ? null : [last.offset, last.checksum],
    pending: metadata.pending,
    partial: metadata.partial,
    features: metadata.features,
    rules: metadata.rules,
    decoding: metadata.decoding,
    model: metadata.model,
    since: metadata.modelSince,
    scope: metadata.scope,
    owner: metadata.owner && [metadata.owner.job, metadata.owner.scores],
  } satisfies Form & { readonly scope: string | undefined; readonly owner: readonly string[] | undefined });
  if (Buffer.byteLength(text) > MOST_BYTES) throw new RangeError(`metadata of ${Buffer.byteLength(text)} bytes`);
  return text;
}

/**
 * @param offset that the metadata was committed with
 * @param where for messages, such as `group g, partition 3 of topic t`
 * @throws ScoreBatchError `configuration` unless `encodeMetadata` of this version wrote it with that offset
 */
export function parseMetadata(text: string, offset: number, where: string): PartitionMetadata {
  const { scope, owner, ...form } = formOf(text) ?? {};
  if (!('v' in form)) {
    throw new ScoreBatchError('configuration', `${where}: the committed offset was not written by \`score-batch stream\``, {
      hint: 'give the stream job a `group` of its own, which nothing else commits to',
    });
  }
  if (form.v !== VERSION) {
    throw new ScoreBatchError('configuration', `${where}: the committed offset was written by another version of score-batch`, {
      hint: 'use the version that wrote it, or start with a new `group`, `--start` and `--accept-new-group`',
      details: [`its metadata has version ${JSON.stringify(form.v)}; this score-batch uses ${VERSION}`],
    });
  }
  const isKnown = (scope === undefined || isText(scope)) && (owner === undefined || isOwner(owner));
  if (!isKnown || !isForm(form) || form.position !== offset || form.replay[0] > offset || form.pending > offset) {
    throw new ScoreBatchError('configuration', `${where}: the metadata of the committed offset is damaged`, {
      hint: 'start with a new `group`, `--start` and `--accept-new-group`, and check whether another tool moved the offset',
    });
  }
  return {
    checkpoint: {
      position: form.position,
      replay: { offset: form.replay[0], maximum: form.replay[1] },
      maximum: form.maximum,
      frontier: form.frontier,
      flushed: form.flushed,
    },
    partitions: form.partitions,
    last: form.last === null ? null : { offset: form.last[0], checksum: form.last[1] },
    pending: form.pending,
    partial: form.partial,
    features: form.features,
    rules: form.rules,
    decoding: form.decoding,
    model: form.model,
    modelSince: form.since,
    ...(scope !== undefined && { scope }),
    ...(owner !== undefined && { owner: { job: owner[0], scores: owner[1] } }),
  };
}

/**
 * Digest of the parts of a feature file that decide which events are scored, and when; they cannot change while events are
 * pending.
 */
export function rulesOf({ asOf, key, id, time, latenessMs, skewMs }: EventFeatures): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([key, id, time, latenessMs, skewMs]))
    .digest('hex');
  return `${asOf} ${digest.slice(0, 16)}`;
}

/** Version of the decoder; raise it if `createDecoder` accepts other records. */
const DECODER = 1;

/** Digest of the settings that decide whether a record is an event, and as of event whether it is a duplicate. */
export function decodingOf(features: EventFeatures, messageBytes: number): string {
  return decodingWith(features, messageBytes, features.asOf === 'event' ? [horizonMs(features)] : []);
}

/** Whether the same records are events as when the metadata was committed. Versions before 0.2.0 committed no horizon. */
export function decodesAs(
  { decoding, features: digest }: Pick<PartitionMetadata, 'decoding' | 'features'>,
  features: EventFeatures,
  messageBytes: number,
): boolean {
  if (decoding === decodingOf(features, messageBytes)) return true;
  return digest === features.digest && decoding === decodingWith(features, messageBytes, []);
}

function decodingWith({ fields }: EventFeatures, messageBytes: number, horizon: readonly number[]): string {
  const text = JSON.stringify([DECODER, messageBytes, fields.map(({ name, type }) => [name, type]), ...horizon]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

export function ownerOf({ name, output }: { readonly name: string; readonly output: { readonly scores: string } }): Owner {
  return { job: name, scores: output.scores };
}

/** Everything that decides the score for given features. */
export function modelOf({ digest, definitionDigest }: Pick<Scorer, 'digest' | 'definitionDigest'>): string {
  return `${digest} ${definitionDigest}`;
}

/** Checksum of all that the topic keeps of a record: 64 bits suffice to notice another topic of the same name. */
export function checksumOf({ timestamp, key, value }: LogRecord): string {
  const hash = createHash('sha256').update(`${timestamp} ${key?.length ?? -1} ${value?.length ?? -1} `);
  if (key !== null) hash.update(key);
  if (value !== null) hash.update(value);
  return hash.digest('hex').slice(0, 16);
}

function formOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isForm(value: Record<string, unknown>): value is Form {
  const names = Object.keys(FORM);
  return Object.keys(value).length === names.length && Object.entries(FORM).every(([name, is]) => is(value[name]));
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Times that are only compared may be before 1970. */
function isWholeOrNull(value: unknown): value is number | null {
  return value === null || Number.isSafeInteger(value);
}

function isOwner(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
