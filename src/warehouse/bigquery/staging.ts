import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import type { ScoredFile, StagedAttempt } from '../../domain/attempt.ts';
import type { TopRow } from '../../domain/reasons.ts';
import { pinAttempts } from '../../domain/reconciliation.ts';
import { openDatabase } from '../../duckdb/database.ts';
import { parquetScan } from '../../duckdb/sql.ts';
import { toColumn } from '../../duckdb/types.ts';
import type { ReconcileOptions, StagedTally, TopRowsOptions } from '../publication-spec.ts';
import { pinnedRows, tallyStaging } from '../sql/tally.ts';
import { selectTop, toTopRow } from '../sql/top.ts';
import { type Connection, labelsOf, sendOnce } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { runJobAs, submitUnlessThere } from './jobs.ts';
import { digest } from './names.ts';
import { rows } from './query.ts';
import { createTable, getTable } from './rest-tables.ts';
import { scratchName, scratchOptions, scratchTable } from './scratch.ts';
import { type Job, readJob } from './shapes.ts';
import { columnField, type Field } from './types.ts';

// Staging is one table per run. Each scored file is loaded by its own load job. Load jobs are better here than the Storage
// Write API: they are free, accept Parquet files, load all rows or none, and their ids show what was loaded, so that nothing
// is loaded twice. BigQuery allows 1,500 load jobs per table and day; a run has at most 1,000 chunks.

/** Loads the file unless it was loaded before: the job's id is derived from the attempt. */
export async function stage(connection: Connection, runId: string, scored: ScoredFile): Promise<void> {
  const table = scratchTable(connection, 'staged', runId);
  if (!(await getTable(connection, table))) {
    const fields = await fieldsOf(connection, scored.file);
    await createTable(connection, table, { schema: { fields }, ...scratchOptions(connection, runId) });
  }
  const { project, dataset } = connection.scratch;
  const id = `score_batch_stage_${digest(project, dataset, runId)}_${scored.chunk}_${scored.attempt}`;
  await runJobAs(connection, id, (jobId) =>
    submitUnlessThere(connection, jobId, (as) => upload(connection, as, runId, scored.file)),
  );
}

export async function stagedAttempts(connection: Connection, runId: string): Promise<StagedAttempt[]> {
  if (!(await getTable(connection, scratchTable(connection, 'staged', runId)))) return [];
  const counted = await rows(
    connection,
    `SELECT CAST(chunk AS STRING), attempt, CAST(COUNT(*) AS STRING) FROM ${scratchName(connection, 'staged', runId)}
     GROUP BY chunk, attempt`,
    { runId },
  );
  return counted.map(([chunk, attempt, count]) => ({ chunk: Number(chunk), attempt: String(attempt), rows: Number(count) }));
}

export async function tally(connection: Connection, options: ReconcileOptions): Promise<StagedTally> {
  const { runId } = options;
  // A window without rows has no staging table.
  if (!(await getTable(connection, scratchTable(connection, 'staged', runId)))) {
    return { ...pinAttempts(options.frozen, []), rejections: [], scoreCounts: options.scoreEdges && [] };
  }
  return await tallyStaging(BIGQUERY, scratchName(connection, 'staged', runId), options, (sql) =>
    rows(connection, sql, { runId }),
  );
}

/** See `Sink.topRows`. */
export async function topRows(connection: Connection, { runId, key, pinned, rows: most }: TopRowsOptions): Promise<TopRow[]> {
  if (pinned.length === 0) return [];
  const staged = pinnedRows(BIGQUERY, scratchName(connection, 'staged', runId), pinned);
  const sql = selectTop(BIGQUERY, { staged, key, rows: most, stagesText: true });
  return (await rows(connection, sql, { runId })).map(toTopRow);
}

/** One upload request with the file. Google's client sends the same request, but without labels. */
async function upload(connection: Connection, jobId: string, runId: string, file: string): Promise<Job> {
  const { home, timeouts } = connection;
  const { project, dataset, table } = scratchTable(connection, 'staged', runId);
  const jobReference = { projectId: home.project, jobId, location: await connection.location() };
  const load = {
    destinationTable: { projectId: project, datasetId: dataset, tableId: table },
    sourceFormat: 'PARQUET',
    writeDisposition: 'WRITE_APPEND',
    createDisposition: 'CREATE_NEVER',
  };
  const job = { jobReference, configuration: { load, labels: labelsOf(connection, runId) } };
  const content = createReadStream(file);
  try {
    await once(content, 'open');
    return await sendOnce(
      { ...connection, timeouts: { ...timeouts, request: timeouts.upload } },
      {
        method: 'POST',
        uri: '/jobs',
        qs: { uploadType: 'multipart' },
        multipart: [
          { 'Content-Type': 'application/json', body: JSON.stringify(job) },
          { 'Content-Type': 'application/vnd.apache.parquet', body: content },
        ],
      },
      readJob,
    );
  } finally {
    content.destroy();
  }
}

/** Columns of a scored file; all files of a run have the same ones. BigQuery's integers always have 64 bits. */
async function fieldsOf(connection: Connection, file: string): Promise<Field[]> {
  await using database = await openDatabase(':memory:', {
    threads: 1,
    memory: connection.memory,
    temporary: path.dirname(file),
  });
  const described = await database.rows(`DESCRIBE SELECT * FROM ${parquetScan([file])}`);
  return described.map(([name, native]) => {
    const { type, digits } = toColumn(String(name), String(native));
    if (type === 'other') throw new Error(`a scored file has a column ${name} of type ${native}`);
    return columnField({ name: String(name), type, ...(digits && { digits }) });
  });
}
