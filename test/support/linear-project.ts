import { makeProject, repository } from './project.ts';

export interface LinearOptions {
  /** SELECT for the table `users(user_id, signup, a, b, country)`; by default 100 users from 1997-03-10 on. */
  readonly users?: string;
  /** Replacements in the job file, e.g. `['chunk_rows: 10', 'chunk_rows: 1']`. */
  readonly edit?: (job: string) => string;
  readonly query?: string;
  /** Bundle in test/fixtures/models. */
  readonly model?: string;
  readonly files?: Readonly<Record<string, string>>;
}

export const LINEAR_USERS = `
  select i as user_id, date '1997-03-10' + cast(i % 7 as integer) as signup,
    (i % 20) / 10.0 as a, case when i % 10 = 3 then null else (i % 13) / 10.0 end as b,
    ['US', 'DE', 'FR'][1 + i % 3] as country
  from range(100) as users(i)`;

export const LINEAR_QUERY =
  'select user_id, a, b, country from users where signup >= :window_start_date and signup < :window_end_date';

const JOB = `name: linear
model: model
time_zone: America/New_York
every: week
source:
  warehouse: duckdb:data/warehouse.duckdb
  query_file: jobs/query.sql
  key: [user_id]
score:
  column: propensity
  bands: { high: top 10%, medium: top 30% }
  chunk_rows: 10
  providers: [cpu]
sink:
  table: marketing.scores
  keep: [country]
report:
  table: marketing.report
  summary_table: marketing.summary
  segments: [country]
  csv: reports/linear-{window}.csv
gates:
  min_rows: 1
  max_quarantine_rate: 1%
`;

/**
 * A small project for single behaviours: the \`linear\` model (sigmoid(0.5 a − 0.25 b), a between −100 and 100, b
 * nullable with default 0) over a generated table, window 1997-W11.
 */
export function linearProject({
  users = LINEAR_USERS,
  edit = (job) => job,
  query = LINEAR_QUERY,
  model = 'linear',
  files = {},
}: LinearOptions = {}): Promise<string> {
  return makeProject({
    warehouse: [`create table users as ${users}`],
    job: edit(JOB),
    model: repository('test', 'fixtures', 'models', model),
    files: { 'jobs/query.sql': query, ...files },
  });
}
