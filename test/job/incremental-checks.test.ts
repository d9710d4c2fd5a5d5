import { expect, it } from 'vitest';
import { incrementalChecks } from '../../src/job/incremental-checks.ts';
import { jobWith } from '../slice/changes/job.ts';

/** Problems of a job with one change source, but for those of its bands. */
function problemsOf(change: object): string[] {
  const problems = incrementalChecks(jobWith(change, { bands: { high: 0.9 } }));
  return problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

it('refuses change sources that cannot be', () => {
  expect(problemsOf({ table: 'shop.orders', watermark: 'loaded_at', time_zone: 'Europe/Berlin' })).toEqual([]);
  expect(problemsOf({ table: '"my data"."or""ders"', watermark: 'loaded_at' })).toEqual([]);
  expect(problemsOf({ table: '`project-1.shop`.orders', watermark: 'loaded_at' })).toEqual([]);
  expect(problemsOf({ table: 'orders where 1 = 1', watermark: 'loaded_at' })).toEqual([
    'incremental.changes.0.table: write the name of one table or view, as in the query',
  ]);
  expect(problemsOf({ table: 'orders', history: 'changes', time_zone: 'UTC' })).toEqual([
    'incremental.changes.0.history: DuckDB keeps no history of changes: name a watermark',
    'incremental.changes.0.time_zone: only a watermark can need a time zone',
  ]);
  expect(() => jobWith({ table: 'orders', watermark: 'at', time_zone: 'Berlin' })).toThrow('must be an IANA time zone');
});
