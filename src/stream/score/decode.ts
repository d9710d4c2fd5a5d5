import { isUtf8 } from 'node:buffer';
import { type EventFeatures, type FieldValue, NEWEST_TIME, OLDEST_TIME } from '../../event-features/definition.ts';
import { valueOfType } from '../../event-features/field-value.ts';
import type { EventRejection, StreamEvent } from '../event.ts';
import type { LogRecord } from '../log.ts';

/** Why a record cannot be an event. It holds no value of the record. */
export interface RefusedRecord {
  readonly reason: EventRejection;
  /** `not JSON`, or the name of the wrong field. */
  readonly detail?: string;
}

export type Decode = (record: LogRecord) => StreamEvent | RefusedRecord;

/**
 * Reads events from JSON. Unknown properties are ignored, so a schema may gain some; the last of duplicate properties counts,
 * as in `JSON.parse`.
 *
 * @param messageBytes a larger value is refused before it is parsed
 */
export function createDecoder(features: EventFeatures, messageBytes: number): Decode {
  const { key: keyName, id: idName, time: timeName } = features;
  const fields = features.fields.map(({ name, type }) => ({ name, type, inherited: name in {}, what: missing(name) }));
  const at = (name: string) => fields.findIndex((field) => field.name === name);
  const [keyAt, idAt, timeAt] = [at(keyName), at(idName), at(timeName)];

  function missing(name: string): EventRejection | undefined {
    return name === keyName ? 'no key' : name === idName ? 'no id' : name === timeName ? 'no time' : undefined;
  }

  return (record) => {
    const { offset, timestamp, value: bytes } = record;
    if (bytes === null) return refused('not an event', 'no value');
    if (bytes.length > messageBytes) return refused('too large');
    if (!isUtf8(bytes)) return refused('not an event', 'not UTF-8');
    const text = bytes.toString('utf8');
    const given = parsed(text);
    if (given === undefined) return refused('not an event', 'not JSON');
    if (typeof given !== 'object' || given === null || Array.isArray(given))
      return refused('not an event', 'not a JSON object');
    const escapes = text.includes('\\u');
    const values = new Array<FieldValue>(fields.length);
    for (let i = 0; i < fields.length; i += 1) {
      const { name, type, inherited, what } = fields[i] as (typeof fields)[number];
      const found = inherited && !Object.hasOwn(given, name) ? undefined : (given as Record<string, unknown>)[name];
      if (found === undefined || found === null) {
        if (what !== undefined) return refused(what);
        values[i] = null;
        continue;
      }
      const value = valueOfType(found, type, escapes);
      if (value === undefined) return refused('wrong type', name);
      values[i] = value;
    }
    const time = values[timeAt] as number;
    if (!(time >= OLDEST_TIME && time < NEWEST_TIME)) return refused('time out of range');
    const key = String(values[keyAt]);
    if (!isText(record.key, key)) return refused('key differs from the message key');
    return { offset, timestamp, key, id: String(values[idAt]), time, values };
  };
}

export function isRefused(decoded: StreamEvent | RefusedRecord): decoded is RefusedRecord {
  return 'reason' in decoded;
}

function refused(reason: EventRejection, detail?: string): RefusedRecord {
  return detail === undefined ? { reason } : { reason, detail };
}

/** Undefined if it is not JSON. The parser's message would quote the text, so it is dropped. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether the bytes are the UTF-8 of the string. */
function isText(bytes: Buffer | null, text: string): boolean {
  // Invalid UTF-8 decodes to U+FFFD, which the string may itself contain.
  return bytes !== null && bytes.toString('utf8') === text && (!text.includes('\uFFFD') || isUtf8(bytes));
}
