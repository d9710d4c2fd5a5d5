import type { TableName } from '../../domain/table-name.ts';
import type { TextRow } from '../reader.ts';
import type { Client } from './client.ts';
import { snowflakeError } from './errors.ts';
import { located, nameSuffix } from './names.ts';
import { queryTag } from './session.ts';
import type { Target } from './target.ts';

/** A Snowflake account as a warehouse: locations, client and job. */
export interface Snowflake {
  readonly target: Target;
  /** Database and schema for the runs' artifacts. */
  readonly scratch: readonly [database: string, schema: string];
  readonly job: string;
  readonly client: Client;
  /** Memory limit of DuckDB in this process, bytes. */
  readonly memory: number;
  /** See `WarehouseAccess`. */
  readonly unload?: boolean;
  /** See `WarehouseOptions`. */
  readonly signal: AbortSignal;
}

/** A table or stage of a run in the scratch schema. */
export function scratchName({ scratch }: Snowflake, purpose: string, runId: string): TableName {
  return [...scratch, `score_batch_${purpose}_${nameSuffix(runId)}`];
}

/** A job's table with its full name. */
export function inAccount<T extends { readonly name: TableName }>({ target }: Snowflake, layout: T): T {
  return { ...layout, name: located(layout.name, target) };
}

/** Runs an idempotent statement. */
export async function run({ client, job }: Snowflake, sql: string, runId?: string): Promise<TextRow[]> {
  return await client.use((session) => session.rows(sql, { tag: queryTag(job, runId) }));
}

/**
 * Runs `work` and translates Snowflake's errors.
 *
 * @param doing for the message: `publishing the scores`
 */
export async function translated<T>({ target }: Snowflake, work: () => Promise<T>, doing?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw snowflakeError(error, target, doing);
  }
}
