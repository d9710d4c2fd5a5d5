import { describe, expect, it } from 'vitest';
import { showDuration, showSpan } from '../../src/event-features/duration.ts';
import { readEventFeatures } from '../../src/event-features/read.ts';
import { problemsOf } from './problems.ts';

const FILE = `
name: fraud
as_of: arrival
key: user_id
id: transaction_id
time: at
fields: { transaction_id: string, user_id: string, at: int64, amount: int64, rate: float64, country: string, declined: bool }
lateness: 5s
skew: 2s
log: { partition: kafka_partition, offset: kafka_offset, timestamp: kafka_timestamp }
features:
  transactions_5m: { count: events, window: 5m }
  amount_5m: { sum: amount, window: 5m, where: { country: [DE, FR], amount: { at_least: 1, below: 100 } } }
  since_last: { since: events, window: 1h, where: { declined: true } }
`;

const read = (text: string) => readEventFeatures(text, 'jobs/fraud.features.yaml');
const problems = (edit: (text: string) => string) => problemsOf(() => read(edit(FILE)));

it('reads fields, spans, columns of the log and features in the order of the file', () => {
  expect(read(FILE)).toEqual({
    name: 'fraud',
    asOf: 'arrival',
    key: 'user_id',
    id: 'transaction_id',
    time: 'at',
    fields: [
      { name: 'transaction_id', type: 'string' },
      { name: 'user_id', type: 'string' },
      { name: 'at', type: 'int64' },
      { name: 'amount', type: 'int64' },
      { name: 'rate', type: 'float64' },
      { name: 'country', type: 'string' },
      { name: 'declined', type: 'bool' },
    ],
    latenessMs: 5000,
    skewMs: 2000,
    log: { partition: 'kafka_partition', offset: 'kafka_offset', timestamp: 'kafka_timestamp' },
    features: [
      { name: 'transactions_5m', aggregate: 'count', field: undefined, windowMs: 300_000, where: [] },
      {
        name: 'amount_5m',
        aggregate: 'sum',
        field: 'amount',
        windowMs: 300_000,
        where: [
          { field: 'country', is: ['DE', 'FR'] },
          { field: 'amount', atLeast: 1, below: 100 },
        ],
      },
      {
        name: 'since_last',
        aggregate: 'since',
        field: undefined,
        windowMs: 3_600_000,
        where: [{ field: 'declined', is: [true] }],
      },
    ],
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(read(FILE.replace('skew: 2s\n', '')).skewMs).toBe(5000);
});

it.each([
  ['1ms', 1],
  ['5m', 300_000],
  ['7d', 604_800_000],
  ['90s', 90_000],
  ['0ms', 0],
])('writes %s as it was read', (text, ms) => {
  expect(showDuration(ms)).toBe(text);
});

it.each([
  ['12d 1m 10s', 1_036_870_000],
  ['7d', 604_800_000],
  ['1h 5ms', 3_600_005],
  ['0ms', 0],
])('writes %s in several units', (text, ms) => {
  expect(showSpan(ms)).toBe(text);
});

describe('refuses', () => {
  it('what the schema refuses together with fields that do not fit', () => {
    expect(
      problems((text) =>
        text
          .replace('lateness: 5s', 'latenes: 5s\nlateness: 5 s')
          .replace('{ count: events, window: 5m }', '{ count: events, windw: 5m }')
          .replace('{ sum: amount', '{ sum: rate')
          .replace('declined: true', 'declind: true')
          .replace('time: at', 'time: att'),
      ),
    ).toMatchInlineSnapshot(`
      "configuration: the feature file jobs/fraud.features.yaml has 7 problems
      jobs/fraud.features.yaml:6:7: time: there is no field att; did you mean at?
      jobs/fraud.features.yaml:8:1: unknown key latenes; did you mean lateness?
      jobs/fraud.features.yaml:9:11: lateness: write a duration like 500ms, 5s, 5m, 1h or 7d
      jobs/fraud.features.yaml:13:20: features.transactions_5m.window: missing: expected text
      jobs/fraud.features.yaml:13:37: features.transactions_5m: unknown key windw; did you mean window?
      jobs/fraud.features.yaml:14:21: features.amount_5m.sum: rate is float64: a sum of float64 depends on the order of its terms; send whole numbers, such as cents
      jobs/fraud.features.yaml:15:53: features.since_last.where: there is no field declind; did you mean declined?"
    `);
  });

  it('everything that is wrong at once, each with its place', () => {
    const wrong = `name: Fraud
as_of: later
key: user_id
lateness: 5 seconds
fields: { user_id: string, 1st: int64, at: integer }
features:
  a: { count: events, windw: 5m }
  b: { sum: amount, window: 5m, where: { amount: { at_leas: 3 }, country: [] } }
extra: 1
`;
    expect(problemsOf(() => read(wrong))).toMatchInlineSnapshot(`
      "configuration: the feature file jobs/fraud.features.yaml has 13 problems
      jobs/fraud.features.yaml:1:1: id: missing: expected text
      jobs/fraud.features.yaml:1:1: time: missing: expected text
      jobs/fraud.features.yaml:1:7: name: use lower-case letters, digits, - and _
      jobs/fraud.features.yaml:2:8: as_of: expected one of event, arrival
      jobs/fraud.features.yaml:4:11: lateness: write a duration like 500ms, 5s, 5m, 1h or 7d
      jobs/fraud.features.yaml:5:28: fields: 1st is not a valid name: use at most 63 letters, digits and _, beginning with a letter
      jobs/fraud.features.yaml:5:44: fields.at: expected one of string, int64, float64, bool
      jobs/fraud.features.yaml:7:6: features.a.window: missing: expected text
      jobs/fraud.features.yaml:7:23: features.a: unknown key windw; did you mean window?
      jobs/fraud.features.yaml:8:50: features.b.where.amount: give at_least, below, or both
      jobs/fraud.features.yaml:8:52: features.b.where.amount: unknown key at_leas; did you mean at_least?
      jobs/fraud.features.yaml:8:75: features.b.where.country: name at least one value
      jobs/fraud.features.yaml:9:1: unknown key extra; choose from name, as_of, key, id, time, fields, lateness, skew, log, features"
    `);
  });

  it('names that are not there, or are there twice', () => {
    expect(
      problems((text) =>
        text
          .replace('key: user_id', 'key: user')
          .replace('time: at', 'time: amount_')
          .replace('kafka_offset', 'AMOUNT')
          .replace('{ count: events, window: 5m }', '{ count: amont, window: 5m, where: { contry: DE } }')
          .replace('since_last:', 'Country:'),
      ),
    ).toMatchInlineSnapshot(`
      "configuration: the feature file jobs/fraud.features.yaml has 6 problems
      jobs/fraud.features.yaml:4:6: key: there is no field user; declare it under fields
      jobs/fraud.features.yaml:6:7: time: there is no field amount_; did you mean amount?
      jobs/fraud.features.yaml:10:44: log.offset: AMOUNT is already a field
      jobs/fraud.features.yaml:12:29: features.transactions_5m.count: there is no field amont; did you mean amount?
      jobs/fraud.features.yaml:12:57: features.transactions_5m.where: there is no field contry; did you mean country?
      jobs/fraud.features.yaml:14:3: features: Country is already a field: case does not count"
    `);
  });

  it('fields of another type than the key, the id and the time have', () => {
    expect(
      problems((text) =>
        text
          .replace('user_id: string', 'user_id: int64')
          .replace('at: int64', 'at: string')
          .replace('id: transaction_id\n', 'id: user_id\n'),
      ),
    ).toMatchInlineSnapshot(`
      "configuration: the feature file jobs/fraud.features.yaml has 3 problems
      jobs/fraud.features.yaml:7:44: fields.user_id: the key of an event must be string, not int64
      jobs/fraud.features.yaml:7:44: fields.user_id: the id of an event must be string, not int64
      jobs/fraud.features.yaml:7:55: fields.at: the time of an event must be int64, not string"
    `);
  });

  it('aggregates that a type does not have, and values that a field cannot have', () => {
    expect(
      problems(
        (text) => `${text}
  a: { sum: rate, window: 5m }
  b: { mean: country, window: 5m }
  c: { max: declined, window: 5m }
  d: { distinct: rate, window: 5m }
  e: { since: amount, window: 5m }
  f: { sum: amount, mean: amount, window: 5m }
  g: { window: 5m }
  h: { count: events, window: 5m, where: { amount: 1.5, declined: yes, country: [DE, 3], rate: a } }
`,
      ),
    ).toMatchInlineSnapshot(`
      "configuration: the feature file jobs/fraud.features.yaml has 11 problems
      jobs/fraud.features.yaml:16:13: features.a.sum: rate is float64: a sum of float64 depends on the order of its terms; send whole numbers, such as cents
      jobs/fraud.features.yaml:17:14: features.b.mean: country is string: a mean needs an int64 field
      jobs/fraud.features.yaml:18:13: features.c.max: declined is bool: a bool has no max; count events where it is true
      jobs/fraud.features.yaml:19:18: features.d.distinct: rate is float64: two float64 values that look the same can differ; send whole numbers or text
      jobs/fraud.features.yaml:20:15: features.e.since: it measures from the previous event: write since: events
      jobs/fraud.features.yaml:21:6: features.f: give exactly one of count, sum, mean, min, max, distinct, last, since
      jobs/fraud.features.yaml:22:6: features.g: give exactly one of count, sum, mean, min, max, distinct, last, since
      jobs/fraud.features.yaml:23:52: features.h.where.amount: amount is int64; the value is not
      jobs/fraud.features.yaml:23:67: features.h.where.declined: declined is bool; the value is not
      jobs/fraud.features.yaml:23:86: features.h.where.country.1: country is string; the value is not
      jobs/fraud.features.yaml:23:96: features.h.where.rate: rate is float64; the value is not"
    `);
    expect(
      problems((text) =>
        `${text}
  h: { count: events, window: 5m, where: { amount: { at_least: 0.5 }, country: { below: 3 }, rate: { at_least: 2, below: 2 } } }
  i: { distinct: declined, window: 0s }
  j: { distinct: declined, window: 8d }
  k: { sum: events, window: 8m }
`.replace('skew: 2s', 'skew: 6s'),
      ),
    ).toMatchInlineSnapshot(`
      "configuration: the feature file jobs/fraud.features.yaml has 7 problems
      jobs/fraud.features.yaml:9:7: skew: must not be more than lateness: an event that far ahead would make others late
      jobs/fraud.features.yaml:16:64: features.h.where.amount.at_least: amount is int64; the bound is not
      jobs/fraud.features.yaml:16:80: features.h.where.country: country is string: at_least and below are for numbers
      jobs/fraud.features.yaml:16:100: features.h.where.rate: no value can match: at_least must be less than below
      jobs/fraud.features.yaml:17:36: features.i.window: must be from 1ms to 7d
      jobs/fraud.features.yaml:18:36: features.j.window: must be from 1ms to 7d
      jobs/fraud.features.yaml:19:13: features.k.sum: there is no field events; declare it under fields"
    `);
  });

  it('a file without features, and a field that is named like the events themselves', () => {
    expect(
      problems((text) => `${text.slice(0, text.indexOf('features:'))}features: {}\n`.replace('rate:', 'events:')),
    ).toMatchInlineSnapshot(`
      "configuration: the feature file jobs/fraud.features.yaml has 2 problems
      jobs/fraud.features.yaml:7:78: fields: events is reserved for the events themselves: rename the field
      jobs/fraud.features.yaml:11:11: features: name at least one feature"
    `);
  });
});

describe('the digest', () => {
  const digest = (edit: (text: string) => string) => read(edit(FILE)).digest;
  const own = read(FILE).digest;

  it.each<[string, (text: string) => string]>([
    ['comments', (text) => `# of payments\n${text}`],
    ['the name', (text) => text.replace('name: fraud', 'name: payments')],
    ['columns of the log', (text) => text.replace('kafka_offset', 'log_offset')],
    ['the order of fields', (text) => text.replace('rate: float64, country: string', 'country: string, rate: float64')],
    ['the order of values', (text) => text.replace('[DE, FR]', '[FR, DE, FR]')],
    ['another way to write a duration', (text) => text.replace('1h', '60m')],
    ['the default written out', (text) => text.replace('skew: 2s', 'skew: 2000ms')],
  ])('is the same with other %s', (_, edit) => {
    expect(edit(FILE)).not.toBe(FILE);
    expect(digest(edit)).toBe(own);
  });

  it.each<[string, (text: string) => string]>([
    ['as of', (text) => text.replace('as_of: arrival', 'as_of: event')],
    ['lateness', (text) => text.replace('lateness: 5s', 'lateness: 6s')],
    ['skew', (text) => text.replace('skew: 2s\n', '')],
    ['a window', (text) => text.replace('1h', '2h')],
    ['a bound', (text) => text.replace('below: 100', 'below: 101')],
    ['a name of a feature', (text) => text.replace('since_last', 'since_one')],
    ['a field that no feature takes', (text) => text.replace('rate: float64', 'rate: int64')],
    ['a value as text', (text) => text.replace('[DE, FR]', '[DE, "1"]')],
  ])('is another one with another %s', (_, edit) => {
    expect(edit(FILE)).not.toBe(FILE);
    expect(digest(edit)).not.toBe(own);
  });

  it('stays what it is from version to version', () => {
    expect(own).toMatchInlineSnapshot(`"356748501676b5aff7180df2efffb567c487fa353054ae789ad74affc446c797"`);
  });
});
