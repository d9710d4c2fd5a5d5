import { expect, it } from 'vitest';
import type { WarehouseKind } from '../../src/domain/warehouse-kind.ts';
import type { PageData } from '../../src/page/page-data.ts';
import { once } from '../support/kept.ts';
import { readPageData } from '../support/page-data.ts';
import { scoreBatchProcess } from '../support/score-batch.ts';
import { FILL, missing, replaced, weekEnvironment, weeklyProject } from './week.ts';

// What the page of the demo's last week is made of, held against what the embedded warehouse gives for the same orders.

/** Users are held out, a limit is set for drift, and one segment has dates, one numbers. */
const edit = (job: string): string => {
  const segments = replaced(job, 'segments: [basket]', 'segments: [basket, cds, first_order]\n  holdout: 5%');
  return replaced(segments, 'max_quarantine_rate: 1%', 'max_quarantine_rate: 10%\n  max_feature_psi: 0.2');
};

/** Customers with many CDs lack a value that the model needs. */
const editQuery = (sql: string): string =>
  sql.replace('count(*) as orders', 'case when sum(cds) <= 20 then count(*) end as orders');

async function pageWithin(kind: WarehouseKind): Promise<PageData> {
  const url = await FILL[kind]();
  const folder = await weeklyProject({ edit, editQuery });
  const environment = { ...weekEnvironment(url, url), SCORE_BATCH_NOW: '1997-03-31T08:00:00-05:00' };
  for (const week of ['1997-W09', '1997-W11']) {
    // Not in this process, which loads Snowflake's driver to read: two who change the driver would disagree.
    const { code, stderr } = await scoreBatchProcess(folder, ['-q', '--week', week], environment);
    expect(code, stderr).toBe(0);
  }
  return await readPageData(folder, { week: '1997-W11' }, environment);
}

const expected = once(() => pageWithin('duckdb'));

/** Without what differs from run to run, and sums of floating-point numbers up to their last bits. */
function comparable({ run: { provider, model }, bandsExplain, ...data }: PageData): object {
  return { ...data, provider, model, bandsExplain: bandsExplain?.toFixed(9) };
}

it.for(['bigquery', 'snowflake'] as const)(
  'is made from the same numbers within %s',
  { timeout: 600_000 },
  async (kind, { skip }) => {
    skip(missing[kind], 'the emulator is not there');
    const [own, embedded] = [await pageWithin(kind), await expected()];
    expect(embedded.trend.map(({ label }) => label)).toEqual(['1997-W09', '1997-W10', '1997-W11']);
    expect(embedded.outcome?.series.map(({ label }) => label)).toEqual(['1997-W09']);
    expect(embedded.leftOut).toHaveLength(1);
    expect(embedded.drift?.length).toBeGreaterThan(5);
    expect(embedded.riskiest.some(({ holdout }) => holdout)).toBe(true);
    expect(comparable(own)).toEqual(comparable(embedded));
  },
);
