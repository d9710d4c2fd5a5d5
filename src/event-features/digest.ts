import { createHash } from 'node:crypto';
import type { Condition, EventFeatures } from './definition.ts';

/** Increment if the same file yields other values than before. */
const FORMAT = 1;

/**
 * Digest of what the features mean: equal digests give equal values for the same events. It ignores order, comments, the name,
 * and the columns of the warehouse table.
 *
 * @returns SHA-256, hex
 */
export function digestOf(features: Omit<EventFeatures, 'digest'>): string {
  const { asOf, key, id, time, fields, latenessMs, skewMs } = features;
  const meaning = [
    FORMAT,
    asOf,
    [key, id, time],
    sorted(fields.map(({ name, type }) => [name, type])),
    latenessMs,
    skewMs,
    sorted(
      features.features.map(({ name, aggregate, field, windowMs, where }) => [
        name,
        aggregate,
        field ?? null,
        windowMs,
        sorted(where.map(meaningOf)),
      ]),
    ),
  ];
  return createHash('sha256').update(JSON.stringify(meaning)).digest('hex');
}

function meaningOf(condition: Condition): readonly unknown[] {
  if ('is' in condition) return [condition.field, 'is', sorted([...new Set(condition.is)])];
  return [condition.field, 'between', condition.atLeast ?? null, condition.below ?? null];
}

function sorted<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, text: JSON.stringify(value) }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ value }) => value);
}
