import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { CrashProject } from './project.ts';

/** Columns that tell one run from another. */
const OF_THE_RUN = ['run_id', 'scored_at', 'recorded_at'];

const PUBLISHED = "from marketing.score_batch_ledger where job = 'linear.incremental' and publication is not null";

/** What slices leave within DuckDB, without what tells one run from another. */
export interface SliceState {
  /** Rows of the tables of the slices, by table. */
  readonly tables: Readonly<Record<string, readonly string[]>>;
  /** What each publication says of its slice, in order. */
  readonly slices: readonly Readonly<Record<string, unknown>>[];
  /** Windows that were compared with the batch. */
  readonly compared: readonly string[];
  /** Names of views. */
  readonly views: readonly string[];
}

export async function sliceState(project: CrashProject): Promise<SliceState> {
  const { rows } = project;
  const tables: Record<string, string[]> = {};
  for (const table of (await project.tables()).filter((name) => name.startsWith('current'))) {
    const found = await rows(`select * from marketing.${table}`);
    tables[table] = found
      .map((row) => JSON.stringify(Object.entries(row).filter(([column]) => !OF_THE_RUN.includes(column))))
      .sort();
  }
  const entries = await rows(
    `select publication, details ->> '$.slice' as slice, details ->> '$.slice_outcome' as outcome ${PUBLISHED} order by publication`,
  );
  const compared = await rows("select window_label as label from marketing.score_batch_ledger where state = 'compared'");
  const views = await rows('select view_name as name from duckdb_views() where not internal');
  return {
    tables,
    slices: entries.map(({ publication, slice, outcome }) => ({
      publication: Number(publication),
      ...JSON.parse(String(slice)),
      outcome: JSON.parse(String(outcome)),
    })),
    compared: compared.map(({ label }) => String(label)),
    views: views.map(({ name }) => String(name)),
  };
}

/** What is known of each user and of each rejected row, whichever slice found it. */
export async function knownUsers({ rows }: CrashProject): Promise<string[]> {
  const found = [
    ...(await rows('select * exclude (run_id, scored_at, position, as_of) from marketing.current')),
    ...(await rows('select user_id, reason, column_name, value from marketing.current_quarantine')),
  ];
  return found.map((row) => JSON.stringify(row)).sort();
}

/** Expects what is true after any slices, whatever happened to them. */
export async function expectSound(project: CrashProject, { slices, tables }: SliceState, how: string): Promise<void> {
  expect(
    slices.map(({ publication, follows }) => [publication, follows]),
    how,
  ).toEqual(slices.map((_, i) => [i + 1, i === 0 ? null : i]));
  // Each begins where the one before ended.
  const spans = slices.map((slice) => (slice.spans as readonly Record<string, unknown>[])[0]);
  expect(
    spans.slice(1).map((span) => span?.from),
    how,
  ).toEqual(spans.slice(0, -1).map((span) => span?.to));
  const [twice] = await project.rows(`select count(*) - count(distinct run_id) as n ${PUBLISHED}`);
  expect(Number(twice?.n), how).toBe(0);
  for (const [table, key] of [
    ['current', 'user_id'],
    ['current_quarantine', 'user_id'],
    ['current_boundary', 'user_id, boundary'],
  ]) {
    if (tables[table ?? ''] === undefined) continue;
    const repeated = await project.rows(`select ${key} from marketing.${table} group by ${key} having count(*) > 1`);
    expect(repeated, how).toEqual([]);
  }
}

/** What is left in scratch and in work folders. */
export async function leftBySlices(project: CrashProject): Promise<string[]> {
  const scratch = await project.scratch().catch(() => []);
  return [...scratch, ...(await readdir(path.join(project.folder, 'tmp')))];
}
