import type { FrozenTable } from '../../domain/frozen-table.ts';
import type { Query } from '../../domain/query.ts';
import { type Column, findColumn } from '../../domain/schema.ts';
import { ScoreBatchError } from '../../errors.ts';
import { alteredFrozen } from '../altered-frozen.ts';
import { BUCKET, bucketOf, countBuckets, frozenTable, parseManifest, refuseAltered } from '../sql/frozen.ts';
import { asSubquery } from '../sql/subquery.ts';
import type { FreezeOptions } from '../warehouse.ts';
import { toColumn } from './columns.ts';
import { comment } from './comment.ts';
import { literal, SNOWFLAKE } from './dialect.ts';
import { isMissing, queryError } from './errors.ts';
import { exactly, identifier, tableIdentifier } from './names.ts';
import { renderQuery } from './query.ts';
import { queryTag } from './session.ts';
import { run, type Snowflake, scratchName } from './snowflake.ts';
import { createTable, ensureSchema, tableExists } from './tables.ts';
import { unloadChunks } from './unload.ts';

/** Columns of the query with their exact names; does not run it. */
export async function describe({ client, target, job }: Snowflake, query: Query): Promise<Column[]> {
  const { sql, binds } = renderQuery(query);
  try {
    const columns = await client.use((session) => session.describe(sql, { binds, tag: queryTag(job) }));
    return columns.map(toColumn);
  } catch (error) {
    throw queryError(error, query.name, target);
  }
}

/**
 * Writes the query's rows to a transient table with one scan, and a manifest of its buckets to another table. Both are
 * created only if they do not exist, so that two processes of a run agree: the first one's rows are the run's rows.
 */
export async function freeze(snowflake: Snowflake, query: Query, options: FreezeOptions): Promise<FrozenTable> {
  const { runId, key, columns } = options;
  const existing = await readFrozen(snowflake, runId);
  if (existing) return existing;
  const list = selectList(columns, await describe(snowflake, query), query.name);
  await ensureSchema(snowflake, snowflake.scratch);
  const table = frozenTableName(snowflake, runId);
  const manifestName = scratchName(snowflake, 'manifest', runId);
  const manifest = tableIdentifier(manifestName);
  // Without the table, an existing manifest belongs to a dropped one. With it, another process of the run has just created
  // both, or is about to write the manifest.
  if (!(await tableExists(snowflake, scratchName(snowflake, 'frozen', runId))))
    await run(snowflake, `DROP TABLE IF EXISTS ${manifest}`, runId);
  const { sql, binds } = renderQuery(query);
  const { client, target, job } = snowflake;
  const tag = queryTag(job, runId);
  try {
    await createTable(snowflake, scratchName(snowflake, 'frozen', runId), () =>
      client.use((session) =>
        session.rows(
          `${create(table, snowflake, options)} AS
           SELECT *, ${bucketOf(SNOWFLAKE, key)} AS ${BUCKET} FROM (SELECT ${list} FROM ${asSubquery(sql)}) ORDER BY ${BUCKET}`,
          { binds, tag },
        ),
      ),
    );
  } catch (error) {
    throw queryError(error, query.name, target);
  }
  const counted = await run(snowflake, countBuckets(SNOWFLAKE, table, key, columns), runId);
  const frozen = frozenTable(runId, columns, options, counted);
  await createTable(snowflake, manifestName, () =>
    run(snowflake, `${create(manifest, snowflake, options)} AS SELECT ${literal(JSON.stringify(frozen))} AS manifest`, runId),
  );
  const result = (await readFrozen(snowflake, runId)) ?? frozen;
  if (snowflake.unload) await unloadChunks(snowflake, result, table);
  return result;
}

/** The run's frozen table, if it exists with all its rows. */
export async function readFrozen(snowflake: Snowflake, runId: string): Promise<FrozenTable | undefined> {
  try {
    const [row] = await run(
      snowflake,
      `SELECT manifest FROM ${tableIdentifier(scratchName(snowflake, 'manifest', runId))}`,
      runId,
    );
    if (row?.[0] === undefined || row[0] === null) return undefined;
    const table = frozenTableName(snowflake, runId);
    const [count] = await run(snowflake, `SELECT CAST(COUNT(*) AS VARCHAR) FROM ${table}`, runId);
    const frozen = parseManifest(row[0], table);
    if (Number(count?.[0]) === frozen.rows) return frozen;
    throw alteredFrozen(table, [`it had ${frozen.rows} rows and has ${count?.[0]}`]);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Reads all rows: cheaper checks do not detect a changed value. */
export async function verifyFrozen(snowflake: Snowflake, frozen: FrozenTable, key: readonly Column[]): Promise<void> {
  const table = frozenTableName(snowflake, frozen.runId);
  const count = countBuckets(SNOWFLAKE, table, key, frozen.columns);
  refuseAltered(frozen, table, await run(snowflake, count, frozen.runId));
}

export function frozenTableName(snowflake: Snowflake, runId: string): string {
  return tableIdentifier(scratchName(snowflake, 'frozen', runId));
}

function create(table: string, snowflake: Snowflake, { runId, kept }: FreezeOptions): string {
  return `CREATE TRANSIENT TABLE IF NOT EXISTS ${table} DATA_RETENTION_TIME_IN_DAYS = 0 ${comment(snowflake, runId, kept)}`;
}

/** Selects the query's columns by their exact names, aliased to the job's spelling. */
function selectList(columns: readonly Column[], schema: readonly Column[], name: string): string {
  return columns
    .map((column) => {
      const found = findColumn(schema, column.name);
      if (found?.native !== column.native) {
        throw new ScoreBatchError(
          'configuration',
          `the column ${column.name} of ${name} was ${column.native} and is now ${found?.native ?? 'gone'}`,
          { hint: 'a table changed while the run was starting; run the same command again' },
        );
      }
      return `${exactly(found.name)} AS ${identifier(column.name)}`;
    })
    .join(', ');
}
