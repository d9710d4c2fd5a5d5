import type { FrozenTable } from '../../domain/frozen-table.ts';
import { BUCKETS } from '../../domain/frozen-table.ts';
import type { Query } from '../../domain/query.ts';
import type { Column } from '../../domain/schema.ts';
import { ScoreBatchError } from '../../errors.ts';
import { alteredFrozen } from '../altered-frozen.ts';
import { BUCKET, bucketOf, countBuckets, frozenTable, parseManifest, refuseAltered } from '../sql/frozen.ts';
import { asSubquery } from '../sql/subquery.ts';
import type { FreezeOptions } from '../warehouse.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { queryError } from './errors.ts';
import { idOf, runJob } from './jobs.ts';
import { digest } from './names.ts';
import { queryJob, renderQuery, rows, runUnlessThere } from './query.ts';
import { createDataset, dropTable, getTable, readCell } from './rest-tables.ts';
import { scratchClause, scratchName, scratchTable } from './scratch.ts';

/** Skips the ids of this many finished freeze jobs whose table was dropped since. */
const MAX_FREEZES = 20;

const DROPPED =
  'find the process that drops tables in scratch, or set another scratch, then run the same command again with --fresh';

/**
 * Writes the frozen table with one query job. The job's id is a digest of its inputs, so a second process of the run, or a
 * retry after a lost answer, finds the running job instead of scanning the source again. The frozen table is complete once
 * the manifest exists.
 */
export async function freeze(connection: Connection, query: Query, options: FreezeOptions): Promise<FrozenTable> {
  const { runId, columns, key } = options;
  const existing = await readFrozen(connection, runId);
  if (existing) return existing;
  await createDataset(connection, connection.scratch);
  // A table without a manifest is complete too: a query creates its table with all rows or not at all.
  if (!(await getTable(connection, scratchTable(connection, 'frozen', runId)))) {
    // This manifest is of a frozen table that is gone. Dropping only existing ones avoids dropping another process's new
    // manifest.
    const manifest = scratchTable(connection, 'manifest', runId);
    if (await getTable(connection, manifest)) await dropTable(connection, manifest);
    await writeFrozen(connection, query, options);
  }
  const buckets = await rows(connection, countBuckets(BIGQUERY, scratchName(connection, 'frozen', runId), key, columns), {
    runId,
  });
  const counted = frozenTable(runId, columns, options, buckets);
  await runUnlessThere(connection, writeManifest(connection, counted), runId);
  const frozen = await readFrozen(connection, runId);
  if (frozen === undefined) {
    throw new ScoreBatchError('conflict', `the frozen table of ${runId} disappeared right after it was created`, {
      hint: DROPPED,
    });
  }
  return frozen;
}

/** The run's frozen table, if it exists with all its rows. */
export async function readFrozen(connection: Connection, runId: string): Promise<FrozenTable | undefined> {
  const manifest = await readCell(connection, scratchTable(connection, 'manifest', runId));
  if (manifest === undefined) return undefined;
  const table = await getTable(connection, scratchTable(connection, 'frozen', runId));
  if (table === undefined) return undefined;
  const where = placeOf(connection, runId);
  const frozen = parseManifest(manifest, where);
  if (Number(table.numRows) === frozen.rows) return frozen;
  // The metadata may still have the number of rows before an erasure. Counting is free.
  const count = `SELECT CAST(COUNT(*) AS STRING) FROM ${scratchName(connection, 'frozen', runId)}`;
  const [[counted] = []] = await rows(connection, count, { runId });
  if (Number(counted) === frozen.rows) return frozen;
  throw alteredFrozen(where, [`it had ${frozen.rows} rows and has ${counted}`]);
}

/** Reads all rows: cheaper checks do not detect a changed value. */
export async function verifyFrozen(connection: Connection, frozen: FrozenTable, key: readonly Column[]): Promise<void> {
  const { runId, columns } = frozen;
  const count = countBuckets(BIGQUERY, scratchName(connection, 'frozen', runId), key, columns);
  refuseAltered(frozen, placeOf(connection, runId), await rows(connection, count, { runId }));
}

function placeOf(connection: Connection, runId: string): string {
  return Object.values(scratchTable(connection, 'frozen', runId)).join('.');
}

/** Drops the manifest first: without it the frozen table no longer counts. */
export async function dropFrozen(connection: Connection, runId: string): Promise<void> {
  for (const kind of ['manifest', 'frozen'] as const) await dropTable(connection, scratchTable(connection, kind, runId));
}

async function writeFrozen(connection: Connection, query: Query, options: FreezeOptions): Promise<void> {
  const { runId } = options;
  const job = queryJob(connection, selectFrozen(connection, query, options), {
    parameters: query.parameters,
    runId,
    maxBytes: connection.maxBytes,
  });
  const { scratch } = connection;
  const base = `score_batch_freeze_${digest(scratch.project, scratch.dataset, runId, JSON.stringify(query))}`;
  for (let n = 0; n < MAX_FREEZES; n += 1) {
    try {
      await runJob(connection, idOf(`${base}_f`, n), job);
    } catch (error) {
      if (connection.signal.aborted) throw connection.signal.reason;
      throw queryError(error, query.name);
    }
    // An earlier job created a table that has been dropped since.
    if (await getTable(connection, scratchTable(connection, 'frozen', runId))) return;
  }
  throw new ScoreBatchError('conflict', `${MAX_FREEZES} frozen tables of ${runId} were dropped`, { hint: DROPPED });
}

/** Partitioned by bucket, so that reading a chunk is billed only for its buckets; clustering does not guarantee that. */
function selectFrozen(connection: Connection, query: Query, { runId, key, columns, kept }: FreezeOptions): string {
  // Aliased to the job's spelling, because the query may use another case.
  const names = columns.map(({ name }) => `${BIGQUERY.identifier(name)} AS ${BIGQUERY.identifier(name)}`);
  return `CREATE TABLE IF NOT EXISTS ${scratchName(connection, 'frozen', runId)}
    PARTITION BY RANGE_BUCKET(${BUCKET}, GENERATE_ARRAY(0, ${BUCKETS}, 1))
    ${scratchClause(connection, runId, kept)}
    AS SELECT ${names.join(', ')}, ${bucketOf(BIGQUERY, key)} AS ${BUCKET} FROM ${asSubquery(renderQuery(query))}`;
}

/** Two processes of one run write the same manifest, and the first one wins. */
function writeManifest(connection: Connection, frozen: FrozenTable): string {
  return `CREATE TABLE IF NOT EXISTS ${scratchName(connection, 'manifest', frozen.runId)}
    ${scratchClause(connection, frozen.runId, frozen.kept)}
    AS SELECT ${BIGQUERY.literal(JSON.stringify(frozen))} AS manifest`;
}
