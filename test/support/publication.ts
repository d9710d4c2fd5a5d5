import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { query } from './project.ts';
import { filesIn, SCRATCH, STAGED, WAREHOUSE } from './steer.ts';

/** Published tables of the linear project, each with the columns that differ between two runs on the same rows. */
const TABLES = {
  'marketing.scores': 'run_id, scored_at',
  'marketing.scores_quarantine': 'run_id',
  'marketing.report': 'run_id',
  'marketing.summary': 'run_id',
};

/** The ledger's facts about the current publication. */
const CURRENT = `
  select job, window_label, window_start, window_end, window_kind, state, model_name, model_version, model_digest,
    rows_frozen, rows_scored, rows_quarantined
  from DATABASE.marketing.score_batch_ledger where publication is not null order by publication desc limit 1`;

/** Rows of the published tables that only one of two projects has, by table; all empty if they are equal. */
export async function tableDifferences(folder: string, expected: string): Promise<Record<string, unknown[]>> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson();
  try {
    await connection.run(`attach '${path.join(folder, WAREHOUSE)}' as actual (read_only)`);
    await connection.run(`attach '${path.join(expected, WAREHOUSE)}' as expected (read_only)`);
    const compared = Object.entries(TABLES).map(
      ([table, run]) => [table, `select * exclude (${run}) from DATABASE.${table}`] as const,
    );
    const found: Record<string, unknown[]> = {};
    for (const [table, sql] of [...compared, ['the ledger', `(${CURRENT})`] as const]) {
      const actual = sql.replace('DATABASE', 'actual');
      const wanted = sql.replace('DATABASE', 'expected');
      found[table] = await rows(
        `(select 'surplus' as difference, * from (${actual} except all ${wanted}) limit 3)
         union all (select 'missing', * from (${wanted} except all ${actual}) limit 3)`,
      );
    }
    return found;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The result of `tableDifferences` for equal projects. */
export const NONE = { ...Object.fromEntries(Object.keys(TABLES).map((table) => [table, []])), 'the ledger': [] };

export interface Entry {
  readonly run_id: string;
  readonly state: string;
  readonly publication: string | null;
  readonly error: string | null;
  readonly seconds: Readonly<Record<string, number>> | null;
}

/** Ledger entries in the order in which they were written. */
export async function ledger(folder: string): Promise<Entry[]> {
  const [there] = await query(
    path.join(folder, WAREHOUSE),
    `select count(*) > 0 as there from duckdb_tables() where table_name = 'score_batch_ledger'`,
  );
  if (there?.there !== true) return [];
  const rows = await query(
    path.join(folder, WAREHOUSE),
    `select run_id, state, publication, details->>'error' as error, details->>'seconds' as seconds
     from marketing.score_batch_ledger order by rowid`,
  );
  return rows.map(
    (row) => ({ ...row, seconds: row.seconds === null ? null : JSON.parse(String(row.seconds)) }) as unknown as Entry,
  );
}

/** Number of rows of the scores table by `scored_at`, as text. */
export async function scoredAt(folder: string): Promise<Record<string, number>> {
  const rows = await query(
    path.join(folder, WAREHOUSE),
    `select strftime(scored_at, '%H:%M') as at, count(*) as rows from marketing.scores group by 1`,
  );
  return Object.fromEntries(rows.map(({ at, rows: count }) => [String(at), Number(count)]));
}

export interface Staged {
  /** Number of chunks with an attempt in staging. */
  readonly chunks: number;
  /** Number of scored rows in these chunks. */
  readonly scored: number;
}

/** The staged chunks and rows of all runs, read from the files. */
export async function staged(folder: string): Promise<Staged> {
  const files = (await filesIn(folder, SCRATCH)).filter((file) => STAGED.test(file));
  if (files.length === 0) return { chunks: 0, scored: 0 };
  const list = files.map((file) => `'${path.join(folder, file)}'`).join(', ');
  const [row] = await query(
    ':memory:',
    `select count(distinct chunk) as chunks, count(score) as scored from read_parquet([${list}])`,
  );
  return { chunks: Number(row?.chunks), scored: Number(row?.scored) };
}
