import { expect, it } from 'vitest';
import type { Plan } from '../../src/plan/plan.ts';
import { measureDrift } from '../../src/run/feature-drift.ts';
import { named, plain } from '../warehouse/conformance/frozen.ts';
import { withUsers } from '../warehouse/conformance/subject.ts';
import { makeSubject } from '../warehouse/duckdb/subject.ts';

const QUERY = plain('select user_id, A as "Amount", b from users');

/** The drift of a window that was scored as the query returned it, with `scored` rows, over the users that are there now. */
async function measured(users: number, scored: number, features: readonly string[] = ['amount']) {
  const { warehouse } = await withUsers(makeSubject, users);
  const { source } = warehouse;
  const columns = named(await source.describe(QUERY), features);
  const reference = { edges: [2], shares: [0.5, 0.5], nulls: 0 };
  const drift = { features: columns.map((column, i) => ({ feature: `f${i}`, column, reference })), unmeasured: [] };
  const plan = { drift, source, query: QUERY, window: { label: '2026-W47' } } as unknown as Plan;
  const frozen = {
    id: 'id',
    runId: 'run',
    columns,
    chunks: [],
    rows: scored,
    divisions: 1,
    tapped: true,
    hash: 'native',
  } as const;
  return await measureDrift(plan, frozen);
}

it('measures rows that were not frozen by running the query again', async () => {
  const found = await measured(4, 4);
  expect(found).toMatchObject({ warnings: [], drift: { rows: 4, features: [{ feature: 'f0', psi: 0 }] } });
});

it('warns if the query returns other rows by then', async () => {
  const found = await measured(3, 4);
  expect(found?.warnings).toEqual([
    'the drift of the features was measured on different rows than were scored: the query of 2026-W47 returned 4 rows to score and 3 afterwards',
  ]);
  expect(found?.drift).toMatchObject({ rows: 3, features: [{ feature: 'f0' }] });
  const none = await measured(0, 4);
  expect(none).toMatchObject({ drift: { rows: 0, features: [] }, warnings: [expect.stringContaining('and 0 afterwards')] });
});

it('measures hundreds of features by several statements, and nothing of a window without rows', async () => {
  const names = Array.from({ length: 260 }, (_, i) => (i % 2 === 0 ? 'amount' : 'b'));
  const found = await measured(10, 10, names);
  expect(found?.drift.features).toHaveLength(260);
  expect(new Set(found?.drift.features.map(({ feature }) => feature)).size).toBe(260);
  expect(found?.drift.features.slice(0, 130).every(({ nullShare }) => nullShare === 0.4)).toBe(true);
  expect(await measured(0, 0)).toBeUndefined();
});
