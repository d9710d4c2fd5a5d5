import { expect } from 'vitest';
import { type FeatureReference, featureDrift, type MeasuredDrift } from '../../../src/domain/feature-drift.ts';
import { countFeatures, readFeatureCounts } from '../../../src/warehouse/sql/feature-counts.ts';
import { slowDrift } from '../../support/slow-drift.ts';
import { freeze, named, plain } from './frozen.ts';
import { publishRun, startRun, WEEK, WEEK_BEFORE } from './run.ts';
import { type Area, JOB, openSubject, type Subject, withUsers } from './subject.ts';

const RATIOS = [Number.NaN, Infinity, -Infinity, null, 0.1, 0.1, 1e300, -2.5] as const;
const PLANS = ['', 'a', 'A', "it's", '"\\😀"', null, 'e\u0301', 'é'] as const;
const FLAGS = [true, false, null, true, true, false, true, true] as const;
const WHOLE = [0, 1, 2, 3, 4, null, 6, 9_007_199_254_740_993n] as const;

const REFERENCES: Readonly<Record<string, FeatureReference>> = {
  ratio: { edges: [0, 0.1, 1e-7 + 0.1], shares: [0.25, 0.25, 0.25, 0.25], nulls: 0.1 },
  plan: { categories: { a: 0.25, "it's": 0.25, '"\\😀"': 0.25, é: 0.125 }, other: 0.125, nulls: 0 },
  flag: { categories: { true: 0.5, false: 0.5 }, other: 0, nulls: 0.25 },
  whole: { edges: [], shares: [1], nulls: 0 },
  flag_as_number: { edges: [0.5], shares: [0.5, 0.5], nulls: 0 },
};

/** A query of eight rows with the values above. */
function valuesQuery({ kinds, literal, range, integerType, stringType }: Subject): string {
  const float = kinds.find(({ column }) => column.type === 'float')?.column.native ?? '';
  const cases = (values: readonly unknown[], one: (value: unknown) => string, type: string) =>
    `cast(case i ${values.map((value, i) => `when ${i} then ${value === null ? 'null' : one(value)}`).join(' ')} end as ${type})`;
  const number = (value: unknown) => `cast('${String(value).replace('Infinity', 'inf')}' as ${float})`;
  return `select i as user_id, ${cases(RATIOS, number, float)} as ratio,
    ${cases(PLANS, (value) => literal(String(value)), stringType)} as plan,
    case when i = 2 then null else i not in (1, 5) end as flag, ${cases(WHOLE, String, integerType)} as whole from ${range(8)}`;
}

/** What every warehouse gives for the drift of features, and what it does with the drift table. */
export const drift: Area = (it, makeSubject) => {
  it('counts raw values by the bins of a reference, over a query and over frozen rows', async () => {
    const subject = await openSubject(makeSubject);
    const { warehouse } = subject;
    const from = plain(valuesQuery(subject));
    const frozen = await freeze(warehouse, 'run', from);
    const columns = Object.keys(REFERENCES).map((name) => name.replace('_as_number', ''));
    const features = named(frozen.columns, columns).map((column, i) => {
      const [feature = '', reference] = Object.entries(REFERENCES)[i] ?? [];
      return { feature, column, reference: reference ?? { edges: [], shares: [1], nulls: 0 } };
    });
    const statement = countFeatures(features);
    const [row = [], ...more] = await warehouse.source.select(from, statement);
    expect(more).toEqual([]);
    expect(await warehouse.source.selectFrozen(frozen, statement)).toEqual([row]);
    const counts = readFeatureCounts(features, row);
    expect(counts.map(({ rows, present, listed }) => [rows, present, ...listed])).toEqual([
      [8, 6, 2, 0, 2, 2],
      [8, 7, 1, 1, 1, 1],
      [8, 7, 5, 2],
      [8, 7, 7],
      [8, 7, 2, 5],
    ]);
    const raw = [RATIOS, PLANS, FLAGS, WHOLE.map((value) => (value === null ? null : Number(value))), FLAGS];
    for (const [i, { feature, reference }] of features.entries()) {
      const found = featureDrift(feature, reference, counts[i] ?? { rows: 0, listed: [], present: 0 });
      expect(found.psi, feature).toBeCloseTo(slowDrift(raw[i] ?? [], reference).psi, 5);
    }
  });

  it('counts no rows as no rows', async () => {
    const { warehouse } = await withUsers(makeSubject, 1);
    const [a] = named(await warehouse.source.describe(plain('select user_id, a from users')), ['a']);
    const features = [
      {
        feature: 'a',
        column: a ?? { name: 'a', type: 'integer', native: '' },
        reference: { edges: [1], shares: [0.5, 0.5], nulls: 0 },
      } as const,
    ];
    const [row = []] = await warehouse.source.select(plain('select a from users where a > 5'), countFeatures(features));
    expect(readFeatureCounts(features, row)).toEqual([{ rows: 0, present: 0, listed: [0, 0] }]);
  });

  it('replaces the rows of the drift table with the publication of the window', async () => {
    const subject = await withUsers(makeSubject, 30);
    const { warehouse } = subject;
    const odd = `it's "odd" \\ 😀 -- ; \``;
    const table = ['marketing', 'drift'];
    const rows = async () => {
      const found = await subject.rows(
        `select feature, psi, null_share, reference_null_share, row_count, run_id from ${subject.table(table)}`,
      );
      const text = found.map((row) => {
        const [feature, ...figures] = Object.values(row);
        return [feature, ...figures.slice(0, -1).map(Number), figures.at(-1)].join(' ');
      });
      return text.sort();
    };
    await publishRun(warehouse, 'earlier', { window: WEEK_BEFORE, drift: measured(0.000001, ['a']) });
    const many = Array.from({ length: 150 }, (_, i) => `f${i}`);
    const { tables } = await publishRun(warehouse, 'first', { drift: measured(18.420681, [odd, ...many]) });
    expect(await rows()).toHaveLength(152);
    expect(await rows()).toEqual(
      expect.arrayContaining([
        'a 0.000001 0.1 1 30 earlier',
        `${odd} 18.420681 0.1 1 30 first`,
        'f149 18.420681 0.1 1 30 first',
      ]),
    );
    const held = await warehouse.sink.held(tables, JOB, [WEEK]);
    expect(held.find((one) => one.table === 'drift')).toMatchObject({ runId: 'first', rows: 151 });
    expect(await warehouse.sink.otherJobs(tables, 'another')).toContainEqual({ table: tables.drift?.name, job: JOB });
    expect(await warehouse.sink.differences(tables)).toEqual([]);

    await publishRun(warehouse, 'second', { supersedes: 'first', drift: measured(0, ['b', 'c']) });
    expect(await rows()).toEqual(['a 0.000001 0.1 1 30 earlier', 'b 0 0.1 1 30 second', 'c 0 0.1 1 30 second']);

    await subject.execute('delete from users where user_id >= 0');
    const empty = await startRun(warehouse, 'third', { supersedes: 'second', drift: measured(0, []) });
    await empty.publish();
    expect(await rows()).toEqual(['a 0.000001 0.1 1 30 earlier']);
  });
};

/** @param names of features, which all drifted by `psi` */
export function measured(psi: number, names: readonly string[]): MeasuredDrift {
  return {
    rows: 30,
    features: names.map((feature) => ({ feature, psi, nullShare: 0.1, referenceNullShare: 1, bins: [] })),
  };
}
