import path from 'node:path';
import { linearProject } from './linear-project.ts';
import { query, statements } from './project.ts';

/** Events of users; the newest one of a user has the features. `loaded_at` is the watermark. */
const EVENTS = `
  select i as user_id, timestamp '1997-03-10 05:00:00' + to_minutes(i * 10) as happened_at, (i % 20) / 10.0 as a,
    (i % 13) / 10.0 as b, ['US', 'DE', 'FR'][1 + i % 3] as country,
    timestamp '1997-03-10 05:00:00' + to_minutes(i * 10) as loaded_at
  from range(100) as users(i)`;

export const EVENTS_QUERY = `
  select user_id, arg_max(a, loaded_at) as a, arg_max(b, loaded_at) as b, arg_max(country, loaded_at) as country
  from users
  where user_id in (:changed_keys) and happened_at < :window_end
  group by user_id
  having min(happened_at) >= :window_start`;

export const INCREMENTAL = `
incremental:
  table: marketing.current
  since: 1997-03-10
  changes: [{ table: users, watermark: loaded_at }]
  lookback: 10 minutes
  bands: { high: 0.6, medium: 0.5 }
`;

export interface SliceProjectOptions {
  readonly users?: string;
  readonly query?: string;
  /** Appended to the job file. */
  readonly incremental?: string;
  readonly edit?: (job: string) => string;
}

/** The small project with events of users and slices. */
export function sliceProject({
  users = EVENTS,
  query: sql = EVENTS_QUERY,
  incremental = INCREMENTAL,
  edit = (job) => job,
}: SliceProjectOptions = {}): Promise<string> {
  return linearProject({ users, query: sql, edit: (job) => edit(`${job}${incremental}`) });
}

const WAREHOUSE = path.join('data', 'warehouse.duckdb');

export function change(folder: string, ...list: string[]): Promise<void> {
  return statements(path.join(folder, WAREHOUSE), list);
}

/** The current table in the order of its key. */
export function currentRows(folder: string, where = 'true'): Promise<Record<string, unknown>[]> {
  return query(path.join(folder, WAREHOUSE), `select * from marketing.current where ${where} order by user_id`);
}

/** Rows of any statement. */
export function ask(folder: string, sql: string): Promise<Record<string, unknown>[]> {
  return query(path.join(folder, WAREHOUSE), sql);
}
