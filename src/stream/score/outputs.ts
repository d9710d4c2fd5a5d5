import { createHash, createHmac } from 'node:crypto';
import { printableJson } from '../../domain/printable.ts';
import type { EventFeatures } from '../../event-features/definition.ts';
import type { AttributeRow } from '../attributes.ts';
import type { DueEvent, EventRejection, FeatureValue } from '../event.ts';
import type { LogRecord, OutputRecord } from '../log.ts';
import type { Scorer } from '../scorer.ts';
import type { StreamSettings } from '../settings.ts';
import { decide } from './decide.ts';
import { createTextBytes } from './text-bytes.ts';

type Model = Pick<Scorer, 'name' | 'version' | 'digest' | 'definitionDigest'>;

/** An event with its score. */
interface Scored {
  readonly partition: number;
  readonly due: DueEvent;
  readonly attributes: AttributeRow | undefined;
  readonly millionths: number;
  readonly scorer: Model;
  /** Epoch milliseconds. */
  readonly scoredAt: number;
}

/** A record that is not scored. */
interface Rejected {
  readonly partition: number;
  readonly record: LogRecord;
  readonly reason: EventRejection;
  readonly detail?: string;
  /** Feature of the model that rejected the event. */
  readonly feature?: string;
  /** Event time in epoch milliseconds, if the record is an event. */
  readonly time?: number;
  readonly scorer: Model;
  /** Epoch milliseconds. */
  readonly rejectedAt: number;
}

/** Writes output records. docs/stream.md has their keys. */
export interface RecordWriter {
  /** The score, and the alert if its decision asks for one. */
  scored(event: Scored): readonly OutputRecord[];
  /** Holds hashes instead of values; its key is hashed, too. */
  rejected(record: Rejected): OutputRecord;
}

/** Fixed parts of all records of a bundle. */
interface Constant {
  readonly score: string;
  readonly deadLetter: string;
}

type Named = Pick<StreamSettings, 'features' | 'output' | 'decisions' | 'alertOn'>;

/**
 * @param hashKey key for the hashes in dead letters, so that nobody finds a value by hashing guesses; plain SHA-256 if
 * undefined
 */
export function createRecordWriter({ features, output, decisions, alertOn }: Named, hashKey?: string): RecordWriter {
  const names = features.features.map(({ name }, i) => `${i === 0 ? '' : ','}${JSON.stringify(name)}:`);
  const constants = new Map<string, Constant>();
  const suffix = hashKey === undefined ? 'sha256' : 'hmac_sha256';
  const instant = instants();
  const bytesOf = createTextBytes();

  const hash = (value: Buffer): string =>
    (hashKey === undefined ? createHash('sha256') : createHmac('sha256', hashKey)).update(value).digest('hex');

  function constantOf({ name, version, digest, definitionDigest }: Model): Constant {
    const id = `${digest} ${definitionDigest} ${version} ${name}`;
    let found = constants.get(id);
    if (found === undefined) {
      found = {
        score: `,"model":${printableJson({ name, version, digest, definition_digest: definitionDigest })}${digestsOf(features)},"features":{`,
        deadLetter: `,"features_digest":"${features.digest}","model_digest":"${digest}"}`,
      };
      constants.set(id, found);
    }
    return found;
  }

  return {
    scored({ partition, due, attributes, millionths, scorer, scoredAt }) {
      const { event, features: values = [], idle, capped, partial } = due;
      const decision = decide(decisions, millionths);
      let text = `{"id":${printableJson(event.id)},"key":${printableJson(event.key)},"time":${event.time},"score":${millionths / 1e6}`;
      if (decision !== undefined) text += `,"decision":"${decision}"`;
      text += constantOf(scorer).score;
      for (let i = 0; i < names.length; i += 1) text += `${names[i]}${jsonOf(values[i] ?? null)}`;
      text += `},"attributes_version":${attributes === undefined ? 'null' : printableJson(attributes.version)}`;
      text += `,"partition":${partition},"offset":${event.offset}`;
      if (idle) text += ',"idle":true';
      if (capped) text += ',"capped":true';
      if (partial) text += ',"partial":true';
      const record = { key: event.key, value: bytesOf(`${text},"scored_at":"${instant(scoredAt)}"}`) };
      const score = { topic: output.scores, ...record };
      const alerts = decision !== undefined && alertOn.includes(decision) ? output.alerts : undefined;
      return alerts === undefined ? [score] : [score, { topic: alerts, ...record }];
    },
    rejected({ partition, record, reason, detail, feature, time, scorer, rejectedAt }) {
      const { offset, timestamp, key, value } = record;
      const keyHash = key === null ? null : hash(key);
      let text = `{"reason":"${reason}"`;
      if (detail !== undefined) text += `,"detail":${printableJson(detail)}`;
      if (feature !== undefined) text += `,"feature":${printableJson(feature)}`;
      text += `,"partition":${partition},"offset":${offset},"timestamp":${timestamp}`;
      if (time !== undefined) text += `,"time":${time}`;
      if (keyHash !== null) text += `,"key_${suffix}":"${keyHash}"`;
      if (value !== null) text += `,"value_${suffix}":"${hash(value)}"`;
      text += `,"bytes":${value?.length ?? 0},"rejected_at":"${instant(rejectedAt)}"${constantOf(scorer).deadLetter}`;
      return { topic: output.deadLetter, key: keyHash, value: text };
    },
  };
}

function digestsOf({ digest, asOf }: EventFeatures): string {
  return `,"features_digest":"${digest}","as_of":"${asOf}"`;
}

/** A feature as JSON. A sum beyond 2^53 is a bigint, which JSON.stringify refuses: it is written as an integer. */
function jsonOf(value: FeatureValue): string {
  if (typeof value === 'number') return String(value);
  return typeof value === 'bigint' ? value.toString() : printableJson(value);
}

/** Instants as ISO strings, caching the last: all records of a transaction have the same one. */
function instants(): (ms: number) => string {
  let last = Number.NaN;
  let text = '';
  return (ms) => {
    if (ms !== last) {
      last = ms;
      text = new Date(ms).toISOString();
    }
    return text;
  };
}
