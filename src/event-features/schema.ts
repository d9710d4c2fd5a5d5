import { z } from 'zod';
import { isPrintable } from '../domain/printable.ts';
import { AS_OF, FIELD_TYPES } from './definition.ts';
import { parseDuration } from './duration.ts';

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;
const name = z.string().regex(NAME, 'use at most 63 letters, digits and _, beginning with a letter');
const column = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'write the name of a column: letters, digits and _');
const duration = z
  .string({ error: 'write a duration like 500ms, 5s, 5m, 1h or 7d' })
  .refine((text) => parseDuration(text) !== undefined, 'write a duration like 500ms, 5s, 5m, 1h or 7d')
  .transform((text) => parseDuration(text) ?? 0);

const text = z.string().refine(isPrintable, 'must not contain control characters');
const scalar = z.union([text, z.number(), z.boolean()], { error: 'write a value, a list of values, or at_least and below' });
const condition = z.union(
  [
    scalar,
    z.array(scalar).min(1, 'name at least one value'),
    z
      .strictObject({
        at_least: z.number().optional().describe('the lowest value that counts'),
        below: z.number().optional().describe('the lowest value above it that does not count'),
      })
      .refine(({ at_least, below }) => at_least !== undefined || below !== undefined, 'give at_least, below, or both'),
  ],
  { error: 'write a value, a list of values, or at_least and below' },
);

const feature = z.strictObject({
  count: name.optional().describe('how many events (`events`), or how many of them have a value in a field'),
  sum: name.optional().describe('exact sum of an int64 field'),
  mean: name.optional().describe('mean of an int64 field'),
  min: name.optional().describe('smallest value of a field'),
  max: name.optional().describe('largest value of a field'),
  distinct: name.optional().describe('how many different values a field has'),
  last: name.optional().describe('newest value of a field'),
  since: name.optional().describe('milliseconds since the previous event'),
  window: duration.describe('how far back the feature looks, such as 5m'),
  where: z.record(name, condition).default({}).describe('which events count: by value, list of values, or at_least and below'),
});

/** A feature file: as written (`z.input`), and checked per key (`z.output`). */
export const featuresSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'use lower-case letters, digits, - and _')
    .describe('name of the set of features'),
  as_of: z
    .enum(AS_OF)
    .describe(
      'event: computed once every event of the window has arrived; arrival: at once, from the events that have arrived',
    ),
  key: name.describe('field that is the message key'),
  id: name.describe('field that identifies an event'),
  time: name.describe('field with the time of the event, in epoch milliseconds'),
  fields: z.record(name, z.enum(FIELD_TYPES)).describe('field of an event → its type'),
  lateness: duration.describe(
    'an event is late if another one arrived before it with a time that is greater by more than this',
  ),
  skew: duration.optional().describe("how far the time of an event may be ahead of Kafka's timestamp; default: lateness"),
  log: z
    .strictObject({
      partition: column.describe('column with the partition of the topic'),
      offset: column.describe('column with the offset'),
      timestamp: column.describe("column with Kafka's timestamp, in epoch milliseconds"),
    })
    .optional()
    .describe('columns of the warehouse table with the position of an event in Kafka'),
  features: z.record(name, feature).describe('feature → aggregate, field and window'),
});

export type FeatureFile = z.output<typeof featuresSchema>;
export type FeatureEntry = FeatureFile['features'][string];
