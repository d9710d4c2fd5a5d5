import { onTestFinished } from 'vitest';
import type { Column, Schema } from '../../../src/domain/schema.ts';
import { type Database, openDatabase } from '../../../src/duckdb/database.ts';
import { toColumn } from '../../../src/duckdb/types.ts';
import { type JobDefinition, jobSchema } from '../../../src/job/schema.ts';
import { changeSources } from '../../../src/slice/changes/declared.ts';
import type { ChangeSource } from '../../../src/slice/changes/source.ts';
import { presentError } from '../../../src/terminal/error.ts';
import { DUCKDB } from '../../../src/warehouse/duckdb/dialect.ts';
import type { TextRow } from '../../../src/warehouse/reader.ts';
import { temporaryFolder } from '../../support/project.ts';

export const USER: Column = { name: 'user_id', type: 'integer', native: 'BIGINT' };

/** A job with one change source. */
export function jobWith(change: object, incremental: object = {}, key: readonly string[] = ['user_id']): JobDefinition {
  return jobSchema.parse({
    name: 'churn',
    model: 'models/churn',
    time_zone: 'UTC',
    source: { warehouse: 'duckdb:w.duckdb', query: 'select 1', key },
    sink: { warehouse: 'duckdb:w.duckdb', table: 'marketing.scores' },
    incremental: { table: 'marketing.current', since: '2026-01-01', changes: [change], ...incremental },
  });
}

/** A table in a DuckDB in memory, and the change source that a job declares on it. */
export async function sourceOn(
  table: string,
  change: object,
  { incremental = {}, key = [USER] }: { readonly incremental?: object; readonly key?: readonly Column[] } = {},
) {
  const database = await openDatabase(':memory:', { memory: 1e9, temporary: await temporaryFolder() });
  onTestFinished(() => database[Symbol.asyncDispose]());
  await database.run(table);
  const job = jobWith(
    change,
    incremental,
    key.map(({ name }) => name),
  );
  const [declared] = changeSources(job, 'duckdb');
  if (declared === undefined) throw new Error('the job has no change source');
  const seen = async () => declared.found(await describe(database, declared.columns), key);
  return { database, seen };
}

async function describe(database: Database, sql: string): Promise<Schema> {
  return (await database.rows(`DESCRIBE (${sql})`)).map(([name, type]) => toColumn(String(name), String(type)));
}

export async function boundsOf(database: Database, source: ChangeSource, from: string | null): Promise<TextRow> {
  return ((await database.rows(source.bounds(DUCKDB, from)))[0] ?? []) as TextRow;
}

/** What a command prints for the error that the work throws. */
export async function refusal(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    const { text, exitCode } = presentError(error);
    return `${text}\nexit code ${exitCode}`;
  }
  return 'not refused';
}
