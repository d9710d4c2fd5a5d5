import path from 'node:path';
import type { LedgerEntry } from '../../src/domain/ledger.ts';
import { ledgerLayout } from '../../src/domain/tables.ts';
import { openDuckdb } from '../../src/warehouse/duckdb/open.ts';
import { type LinearOptions, linearProject } from './linear-project.ts';
import { query, statements } from './project.ts';

// The linear project with slices in shadow, over two weeks. Slices are statements: rows of the current table and of its boundaries
// as a slice leaves them, made from what the batch has published.

const USERS = `
  select i as user_id, date '1997-03-10' + cast(i % 14 as integer) as signup, (i % 20) / 10.0 as a, (i % 13) / 10.0 as b,
    ['US', 'DE', 'FR'][1 + i % 3] as country
  from range(140) as users(i)`;

export const SLICES = 'linear.incremental';

const SECTION = `incremental:
  table: marketing.current
  since: 1997-03-10
  changes:
    - { table: users, watermark: signup }
  shadow:
    comparisons: 2
    view: marketing.shown
`;

const WEEKS = {
  '1997-W11': { start: '1997-03-10 05:00:00+00', end: '1997-03-17 05:00:00+00' },
  '1997-W12': { start: '1997-03-17 05:00:00+00', end: '1997-03-24 05:00:00+00' },
} as const;
export type Week = keyof typeof WEEKS;

/** An instant at which both weeks are over. */
export const LATER = '1997-03-24T08:00:00-05:00';

export function shadowProject({ edit = (job) => job, users = USERS, ...options }: LinearOptions = {}): Promise<string> {
  return linearProject({
    ...options,
    users,
    edit: (job) => edit(`${job.replace('{ high: top 10%, medium: top 30% }', '{ high: 0.6, medium: 0.5 }')}${SECTION}`),
  });
}

const COLUMNS = `user_id BIGINT, country VARCHAR, propensity DECIMAL(7,6), band VARCHAR, previous_score DECIMAL(7,6),
  changed_at TIMESTAMPTZ, reason VARCHAR, deleted BOOLEAN, skip_key BIGINT, position BIGINT, as_of TIMESTAMPTZ, job VARCHAR,
  run_id VARCHAR, model_name VARCHAR, model_version VARCHAR, model_digest VARCHAR, scored_at TIMESTAMPTZ`;

export function warehouseOf(folder: string): string {
  return path.join(folder, 'data', 'warehouse.duckdb');
}

/** What slices have done up to the end of a week: all users of the batch in the current table, and copied if it is a boundary. */
export async function slicesUntil(folder: string, week: Week, { boundary = true } = {}): Promise<void> {
  const { end } = WEEKS[week];
  const at = `TIMESTAMPTZ '${end}'`;
  await statements(warehouseOf(folder), [
    `create table if not exists marketing.current (${COLUMNS})`,
    `create table if not exists marketing.current_boundary (user_id BIGINT, propensity DECIMAL(7,6), reason VARCHAR,
       model_digest VARCHAR, boundary TIMESTAMPTZ, job VARCHAR)`,
    'delete from marketing.current',
    `insert into marketing.current select user_id, country, propensity, 'high', null, ${at}, null, false, 1, 1, ${at},
       '${SLICES}', 'slice', model_name, model_version, model_digest, scored_at from marketing.scores where window_end <= ${at}`,
    ...(boundary
      ? [
          `insert into marketing.current_boundary
             select user_id, propensity, reason, model_digest, ${at}, job from marketing.current where not deleted`,
        ]
      : []),
  ]);
}

/** Appends an entry of the slices to the ledger. */
export async function appendEntry(folder: string, entry: Partial<LedgerEntry>): Promise<void> {
  const warehouse = openDuckdb({
    ...{ url: 'duckdb:data/warehouse.duckdb', job: 'linear', root: folder, scratch: 'scratch', memory: 1e9 },
    ...{ maxBytes: undefined, environment: {}, warn: () => undefined, signal: new AbortController().signal },
  });
  await warehouse.ledger(ledgerLayout(['marketing', 'score_batch_ledger'])).append({
    ...{ recordedAt: new Date().toISOString(), runId: 'slice', job: SLICES, state: 'published', host: 'here', details: {} },
    ...{ fingerprint: 'f'.repeat(64), model: { name: 'linear', version: '1', digest: 'd'.repeat(64) } },
    window: { label: 'current', start: '1997-03-10T05:00:00.000Z', end: '9999-12-31T00:00:00.000Z', kind: 'ad hoc' },
    ...(entry.state === undefined && { publication: 1, rows: { frozen: 1, scored: 1, quarantined: 0 } }),
    ...entry,
  });
  await warehouse.close();
}

/** Rows as texts, in the order of their texts. */
export async function rowsOf(folder: string, sql: string): Promise<string[]> {
  return (await query(warehouseOf(folder), sql)).map((row) => JSON.stringify(Object.values(row))).sort();
}
