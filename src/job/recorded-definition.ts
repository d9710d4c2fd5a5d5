import { createHash } from 'node:crypto';
import type { RecordedDefinition } from '../domain/recorded-basis.ts';
import type { JobDefinition } from './schema.ts';

/** Most characters of a value, and of all keys and values. */
const MAX_VALUE = 240;
const MAX_DEFINITION = 8_000;

/** Warehouse URLs are not recorded, since they can contain credentials. The SQL is recorded separately. */
const LEFT_OUT = ['source.warehouse', 'sink.warehouse', 'source.query'];

/** The job file with its defaults, in the form of a ledger entry: small, and without secrets. */
export function recordDefinition(definition: JobDefinition): RecordedDefinition {
  const flat = Object.fromEntries(
    [...leaves(definition, '')].filter(([key]) => !LEFT_OUT.includes(key)).map(([key, value]) => [key, short(value)]),
  );
  return bounded(flat, MAX_DEFINITION);
}

function* leaves(value: unknown, at: string): Generator<readonly [key: string, value: unknown]> {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) yield [at, value];
  else for (const [key, inner] of Object.entries(value)) yield* leaves(inner, at === '' ? key : `${at}.${key}`);
}

/** The value as JSON, with user and password removed from URLs. */
function short(value: unknown): string {
  const json = JSON.stringify(value).replaceAll(/\/\/[^/\s"@]+@/g, '//');
  return json.length <= MAX_VALUE ? json : digestOf(json);
}

/** Replaces the largest sections by their digests until the rest fits. */
function bounded(flat: RecordedDefinition, limit: number): RecordedDefinition {
  const sections = new Map<string, [string, string][]>();
  for (const entry of Object.entries(flat)) {
    const section = sectionOf(entry[0]);
    sections.set(section, [...(sections.get(section) ?? []), entry]);
  }
  const bySize = [...sections].sort(([, one], [, other]) => size(other) - size(one));
  const kept = new Map(sections);
  for (const [section, entries] of bySize) {
    if (size([...kept.values()].flat()) <= limit) break;
    kept.set(section, [[section, sectionDigest(entries)]]);
  }
  return Object.fromEntries([...kept.values()].flat());
}

/** `sink` of `sink.keep` */
export function sectionOf(key: string): string {
  return key.split('.', 1)[0] ?? key;
}

/** Replaces a section that is too long. @param entries its keys and values */
export function sectionDigest(entries: readonly (readonly [string, string])[]): string {
  return digestOf(JSON.stringify([...entries].sort(([a], [b]) => (a < b ? -1 : 1))));
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}

function size(entries: readonly (readonly [string, string])[]): number {
  return JSON.stringify(entries).length;
}
