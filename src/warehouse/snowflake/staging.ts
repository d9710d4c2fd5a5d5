import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { ScoredFile, StagedAttempt } from '../../domain/attempt.ts';
import type { TopRow } from '../../domain/reasons.ts';
import { pinAttempts } from '../../domain/reconciliation.ts';
import type { Column } from '../../domain/schema.ts';
import type { TableColumn } from '../../domain/tables.ts';
import { openDatabase } from '../../duckdb/database.ts';
import { parquetScan } from '../../duckdb/sql.ts';
import { toColumn as duckdbColumn } from '../../duckdb/types.ts';
import { ScoreBatchError } from '../../errors.ts';
import { RESUME } from '../errors.ts';
import type { ReconcileOptions, StagedTally, TopRowsOptions } from '../publication-spec.ts';
import type { TextRow } from '../reader.ts';
import { pinnedRows, tallyStaging } from '../sql/tally.ts';
import { selectTop, toTopRow } from '../sql/top.ts';
import { toColumn } from './columns.ts';
import { comment } from './comment.ts';
import { literal, SNOWFLAKE, snowflakeType } from './dialect.ts';
import { identifier, tableIdentifier } from './names.ts';
import { queryTag } from './session.ts';
import { run, type Snowflake, scratchName } from './snowflake.ts';
import { listStage, makeStage } from './stages.ts';
import { ensureSchema } from './tables.ts';

// Staging is a named stage per run with one file per attempt, named after chunk, attempt and row count. PUT needs no virtual
// warehouse, so none runs while chunks are scored. One COPY INTO loads the files into a table before rows are counted.

const NAME = /chunk-(\d+)-([0-9a-f]+)-(\d+)\.parquet$/;

/** Columns that every staged row has. NOT NULL, because MATCH_BY_COLUMN_NAME fills columns that a file lacks with nulls. */
const REQUIRED = ['chunk', 'attempt', 'provider', 'scored_at'];

export function stageName(snowflake: Snowflake, runId: string): string {
  return tableIdentifier(scratchName(snowflake, 'staged', runId));
}

/** Creates the run's stage and an empty table with the columns of its files, taken from the first file. */
export async function makeStaging(snowflake: Snowflake, runId: string, file: string): Promise<void> {
  await using database = await openDatabase(':memory:', {
    memory: snowflake.memory,
    temporary: path.dirname(file),
    threads: 1,
  });
  const described = await database.rows(`DESCRIBE SELECT * FROM ${parquetScan([file])}`);
  const columns = described.map(([name, type]) => duckdbColumn(String(name), String(type)));
  await ensureSchema(snowflake, snowflake.scratch);
  await makeStage(snowflake, 'staged', runId, definitions(columns));
}

/** @param columns of a scored file, in any case */
function definitions(columns: readonly Column[]): string {
  const list = columns.map((column) => {
    const type = snowflakeType(column as TableColumn);
    return `${identifier(column.name)} ${type}${REQUIRED.includes(column.name.toLowerCase()) ? ' NOT NULL' : ''}`;
  });
  return `(${list.join(', ')})`;
}

/** Uploads a scored file. Idempotent, because the name is derived from the attempt. */
export async function stage(snowflake: Snowflake, runId: string, { chunk, attempt, rows, file }: ScoredFile): Promise<void> {
  const named = path.join(path.dirname(file), fileName({ chunk, attempt, rows }));
  await rename(file, named);
  const { client, job } = snowflake;
  const statement = { tag: queryTag(job, runId), within: client.timeouts.upload };
  const [put] = await client.use((session) =>
    session.rows(
      `PUT ${literal(`file://${named}`)} @${stageName(snowflake, runId)}
       AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = NONE OVERWRITE = TRUE`,
      statement,
    ),
  );
  if (!put?.includes('UPLOADED')) {
    throw new ScoreBatchError('unavailable', `could not upload ${path.basename(named)} to the stage of the run`, {
      details: put?.includes('SKIPPED') ? ['Snowflake skipped it'] : [],
      hint: RESUME,
    });
  }
  await rm(named);
}

export async function stagedAttempts(snowflake: Snowflake, runId: string): Promise<StagedAttempt[]> {
  const files = await listStage(snowflake, 'staged', runId);
  return (files ?? []).flatMap(([name]) => attemptOf(name) ?? []);
}

/** Counts of staged rows, and the table that holds the rows. */
export interface CountedStaging {
  readonly tally: StagedTally;
  /** Quoted name; undefined if nothing is staged. */
  readonly table: string | undefined;
}

/**
 * Loads the staged files and counts their rows. Each call uses its own table, so that concurrent calls cannot load a file
 * twice into the same table.
 */
export async function tallyStaged(snowflake: Snowflake, options: ReconcileOptions): Promise<CountedStaging> {
  const { runId, frozen, scoreEdges } = options;
  const staged = await stagedAttempts(snowflake, runId);
  if (staged.length === 0) {
    const tally = { ...pinAttempts(frozen, []), rejections: [], scoreCounts: scoreEdges && [] };
    return { tally, table: undefined };
  }
  const table = tableIdentifier(scratchName(snowflake, `counted_${randomBytes(4).toString('hex')}`, runId));
  const stage = stageName(snowflake, runId);
  const loaded = await snowflake.client.use(async (session) => {
    const columns = (await session.describe(`SELECT * FROM ${stage}`)).map(toColumn);
    await session.rows(
      `CREATE OR REPLACE TRANSIENT TABLE ${table} ${definitions(columns)}
       DATA_RETENTION_TIME_IN_DAYS = 0 ${comment(snowflake, runId)}`,
    );
    return await session.rows(
      `COPY INTO ${table} FROM @${stage} FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE ON_ERROR = ABORT_STATEMENT`,
    );
  });
  await removeWrong(snowflake, runId, loaded);
  const tally = await tallyStaging(SNOWFLAKE, table, options, (sql) => run(snowflake, sql, runId));
  return { tally, table };
}

/**
 * Removes files without the number of rows in their names. They are incomplete attempts, and their chunks must be scored
 * again.
 *
 * @param loaded rows of COPY INTO: file, status, rows_parsed, rows_loaded, …
 */
async function removeWrong(snowflake: Snowflake, runId: string, loaded: readonly TextRow[]): Promise<void> {
  for (const [file, status, , rows] of loaded) {
    const attempt = attemptOf(file);
    if (attempt === undefined) {
      throw new ScoreBatchError('conflict', `the stage of the run has a file that the run did not write: ${file} (${status})`, {
        hint: 'find the process that wrote the file, remove the file, and run the same command again',
      });
    }
    if (attempt.rows === Number(rows)) continue;
    await run(snowflake, `REMOVE @${stageName(snowflake, runId)}/${fileName(attempt)}`, runId);
  }
}

/** Builds the name instead of using the one in the stage: anyone who can write to the stage could inject SQL with it. */
function fileName({ chunk, attempt, rows }: StagedAttempt): string {
  return `chunk-${chunk}-${attempt}-${rows}.parquet`;
}

function attemptOf(file: string | null | undefined): StagedAttempt | undefined {
  const match = NAME.exec(file ?? '');
  return match ? { chunk: Number(match[1]), attempt: match[2] ?? '', rows: Number(match[3]) } : undefined;
}

/** See `Sink.topRows`. @param counted quoted name of the table of staged rows; see `tallyStaged` */
export async function topRows(
  snowflake: Snowflake,
  { runId, key, pinned, rows }: TopRowsOptions,
  counted: string | undefined,
): Promise<TopRow[]> {
  if (counted === undefined || pinned.length === 0) return [];
  const staged = pinnedRows(SNOWFLAKE, counted, pinned);
  return (await run(snowflake, selectTop(SNOWFLAKE, { staged, key, rows, stagesText: true }), runId)).map(toTopRow);
}
