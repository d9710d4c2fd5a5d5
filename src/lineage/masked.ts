import { withoutSecrets } from '../secrets.ts';
import type { RunEvent } from './facets.ts';

/** Keys that identify an event, with no content from the job. */
const OURS = new Set(['_producer', '_schemaURL', 'producer', 'schemaURL', 'eventType', 'eventTime', 'runId']);

const USER = /([a-z][a-z\d+.-]*:\/\/)[^\s/'"@]+@/gi;
const SIGNED = /([?&](?:X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token)|Signature|sig)=)[^&\s'"]+/gi;

/** The event without secrets: known ones, and in SQL also users, passwords and signatures in URLs. */
export function masked(event: RunEvent): RunEvent {
  return maskedIn('', event) as RunEvent;
}

function maskedIn(key: string, value: unknown): unknown {
  if (typeof value === 'string') return OURS.has(key) ? value : maskedText(key, value);
  if (Array.isArray(value)) return value.map((one) => maskedIn(key, one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, maskedIn(name, inner)]));
}

function maskedText(key: string, text: string): string {
  const known = withoutSecrets(text);
  return key === 'query' ? known.replaceAll(USER, '$1[secret]@').replaceAll(SIGNED, '$1[secret]') : known;
}
