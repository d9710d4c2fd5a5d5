import fc from 'fast-check';
import type { Condition, EventFeatures, FieldValue, WindowFeature } from '../../../src/event-features/definition.ts';
import type { StreamEvent } from '../../../src/stream/event.ts';

const START = Date.UTC(2026, 0, 5);

const FIELDS = [
  { name: 'id', type: 'string' },
  { name: 'user', type: 'string' },
  { name: 'at', type: 'int64' },
  { name: 'cents', type: 'int64' },
  { name: 'rate', type: 'float64' },
  { name: 'shop', type: 'string' },
  { name: 'declined', type: 'bool' },
] as const;

const CHOICES: readonly Pick<WindowFeature, 'aggregate' | 'field'>[] = [
  { aggregate: 'count', field: undefined },
  { aggregate: 'since', field: undefined },
  ...FIELDS.slice(3).flatMap(({ name, type }) => [
    { aggregate: 'count' as const, field: name },
    { aggregate: 'last' as const, field: name },
    ...(type === 'float64' ? [] : [{ aggregate: 'distinct' as const, field: name }]),
    ...(type === 'bool' ? [] : (['min', 'max'] as const).map((aggregate) => ({ aggregate, field: name }))),
    ...(type === 'int64' ? (['sum', 'mean'] as const).map((aggregate) => ({ aggregate, field: name })) : []),
  ]),
];

const CONDITIONS: readonly Condition[] = [
  { field: 'declined', is: [true] },
  { field: 'shop', is: ['a', 'é', '\u{1f600}'] },
  { field: 'cents', atLeast: 0, below: undefined },
  { field: 'cents', atLeast: -10, below: 10 },
  { field: 'rate', atLeast: undefined, below: 0.5 },
];

/** Every feature there is, with no condition, one, or two. */
export const definitions: fc.Arbitrary<EventFeatures> = fc
  .record({
    asOf: fc.constantFrom('event', 'arrival'),
    latenessMs: fc.constantFrom(0, 1, 10, 40),
    skew: fc.constantFrom(0, 0.5, 1),
    features: fc.array(
      fc.record({
        choice: fc.constantFrom(...CHOICES),
        windowMs: fc.constantFrom(1, 5, 20, 100),
        where: fc.uniqueArray(fc.constantFrom(...CONDITIONS), { maxLength: 2 }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  })
  .map(({ asOf, latenessMs, skew, features }) => ({
    name: 'random',
    asOf,
    key: 'user',
    id: 'id',
    time: 'at',
    fields: FIELDS,
    latenessMs,
    skewMs: Math.floor(latenessMs * skew),
    log: undefined,
    features: features.map(({ choice, windowMs, where }, i) => ({ name: `f${i}`, ...choice, windowMs, where })),
    digest: '',
  }));

const EDGE = 2 ** 53 - 1;

const STEPS = fc.oneof(
  { weight: 6, arbitrary: fc.nat(3) },
  { weight: 3, arbitrary: fc.nat(30) },
  { weight: 1, arbitrary: fc.constantFrom(100, 300, 100_000) },
);

/** Events of few keys, most of them near each other: out of order, twice, late, ahead, at the same time, after gaps. */
export const logs = logsOf(['k', 'k', 'k', 'l', 'm'], STEPS, { maxLength: 60, size: 'max' });

const HOT_STEPS = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom(0, 0, 1) },
  { weight: 5, arbitrary: fc.nat(10) },
  { weight: 1, arbitrary: fc.constantFrom(60, 300) },
);

/** One key with many of them. */
export const hotLogs = logsOf(['k'], HOT_STEPS, { minLength: 100, maxLength: 250, size: 'max' });

function logsOf(
  keys: readonly string[],
  steps: fc.Arbitrary<number>,
  lengths: fc.ArrayConstraints,
): fc.Arbitrary<StreamEvent[]> {
  return fc
    .array(
      fc.record({
        skipped: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
        step: steps,
        behind: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 4, arbitrary: fc.integer({ min: -12, max: 50 }) }),
        late: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(400) }),
        key: fc.constantFrom(...keys),
        earlier: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(12) }),
        name: fc.constantFrom('', 'é', '\uffee', '\u{1f600}', '\u0000'),
        cents: fc.option(fc.oneof(fc.integer({ min: -20, max: 20 }), fc.constantFrom(EDGE, EDGE, -EDGE, EDGE - 1)), {
          freq: 4,
        }),
        rate: fc.option(fc.constantFrom(-1.5, -0, 0, 0.1, 0.5, 1e300), { freq: 4 }),
        shop: fc.option(fc.constantFrom('', 'a', 'b', 'é', '\uffee', '\u{1f600}'), { freq: 4 }),
        declined: fc.option(fc.boolean(), { freq: 4 }),
      }),
      lengths,
    )
    .map((records) => {
      let offset = 0;
      let now = START;
      const events: StreamEvent[] = [];
      for (const { skipped, step, behind, late, key, earlier, name, cents, rate, shop, declined } of records) {
        offset += skipped;
        now += step;
        const time = now - behind - late;
        const id = (earlier === null ? undefined : events.at(-1 - earlier)?.id) ?? `${name}${offset}`;
        const values: FieldValue[] = [id, key, time, cents, rate, shop, declined];
        events.push({ offset, timestamp: now, key, id, time, values });
        offset += 1;
      }
      return events;
    });
}
