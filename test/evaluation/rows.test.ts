import fc from 'fast-check';
import { expect, it } from 'vitest';
import { evaluationRows } from '../../src/evaluation/rows.ts';
import { CONTACT_GROUPS, type EvaluatedUser, makeUsers } from '../../src/evaluation/users.ts';

const SEGMENTS = [
  { name: 'basket', values: ['1 CD', '4+ CDs', null] },
  { name: 'country', values: ['US'] },
];

const user: fc.Arbitrary<EvaluatedUser> = fc.record({
  score: fc.integer({ min: 0, max: 1_000_000 }),
  decile: fc.integer({ min: 1, max: 10 }),
  cameTrue: fc.boolean(),
  treated: fc.option(fc.boolean(), { nil: undefined }),
  segments: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 1 })),
});

it('counts each user where the user belongs, and every group as if it were alone', () => {
  fc.assert(
    fc.property(fc.array(user, { maxLength: 60 }), (list) => {
      const users = makeUsers(list.length, SEGMENTS.length);
      for (const one of list) users.add(one);
      const rows = evaluationRows(users, { segments: SEGMENTS, byContact: true });
      const groups = [
        { segment: 'all', value: 'all', isIn: () => true },
        ...SEGMENTS.flatMap(({ name, values }, segment) =>
          values.map((value, i) => ({
            segment: name,
            value,
            isIn: ({ segments }: EvaluatedUser) => segments[segment] === i + 1,
          })),
        ),
      ];
      for (const { segment, value, isIn } of groups) {
        for (const contact of CONTACT_GROUPS) {
          const own = list.filter((one) => isIn(one) && (contact === 'all' || one.treated === (contact === 'treated')));
          const found = rows.filter((row) => row.segment === segment && row.segmentValue === value && row.contact === contact);
          const [overall, ...parts] = found;
          if (own.length === 0) {
            expect(found).toEqual([]);
            continue;
          }
          expect(overall).toMatchObject({ part: 'overall', bin: 0, users: own.length });
          expect(overall?.positives).toBe(own.filter(({ cameTrue }) => cameTrue).length);
          expect(overall?.meanScore).toBeCloseTo(own.reduce((sum, { score }) => sum + score, 0) / own.length / 1e6, 12);
          const deciles = parts.filter(({ part }) => part === 'decile');
          for (const { bin, users: size, positives } of deciles) {
            const here = own.filter(({ decile }) => decile === bin);
            expect([size, positives]).toEqual([here.length, here.filter(({ cameTrue }) => cameTrue).length]);
          }
          for (const part of ['decile', 'calibration'] as const)
            expect(parts.filter((row) => row.part === part).reduce((sum, row) => sum + row.users, 0)).toBe(own.length);
          if (overall?.positives !== 0)
            expect(deciles.reduce((sum, { gain }) => sum + (gain?.capture ?? Number.NaN), 0)).toBeCloseTo(1, 12);
        }
      }
    }),
    { numRuns: 200 },
  );
});

it('gives deciles and bins for the largest values only, and gain against all users', () => {
  const values = Array.from({ length: 12 }, (_, i) => `value ${i}`);
  const users = makeUsers(240, 1);
  for (let i = 0; i < 240; i += 1)
    users.add({
      ...{ score: i * 1_000, decile: 10 - Math.floor(i / 24), cameTrue: i >= 120, treated: undefined },
      segments: [1 + Math.floor(i / 20)],
    });
  const rows = evaluationRows(users, { segments: [{ name: 's', values }], byContact: false });
  const parts = (value: string) => [
    ...new Set(rows.filter(({ segmentValue }) => segmentValue === value).map(({ part }) => part)),
  ];
  expect(parts('value 9')).toEqual(['overall', 'decile', 'calibration']);
  expect(parts('value 10')).toEqual(['overall']);
  const overall = rows.find(({ segmentValue }) => segmentValue === 'value 10');
  expect(overall?.gain).toEqual({ lift: 2, capture: 20 / 120 });
  expect(rows.filter(({ segment, part }) => segment === 'all' && part === 'decile').map(({ gain }) => gain?.lift)).toEqual([
    ...[2, 2, 2, 2, 2, 0, 0, 0, 0, 0],
  ]);
  expect(new Set(rows.map(({ contact }) => contact))).toEqual(new Set(['all']));
});
