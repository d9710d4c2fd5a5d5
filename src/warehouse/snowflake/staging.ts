import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { ScoredFile, StagedAttempt } from '../../domain/attempt.ts';
import { pinAttempts } from '../../domain/reconciliation.ts';
import type { Column } from '../../domain/schema.ts';
import type { TableColumn } from '../../domain/tables.ts';
import { openDatabase } from '../../duckdb/database.ts';
import { parquetScan } from '../../duckdb/sql.ts';
import { toColumn as duckdbColumn } from '../../duckdb/types.ts';
import { ScoreBatchError } from '../../errors.ts';
import { type TextRow, tallyStaging } from '../sql/tally.ts';
import type { ReconcileOptions, StagedTally } from '../warehouse.ts';
import { toColumn } from './columns.ts';
import { comment } from './comment.ts';
import { literal, SNOWFLAKE, snowflakeType } from './dialect.ts';
import { identifier, tableIdentifier } from './names.ts';
import { queryTag } from './session.ts';
import { run, type Snowflake, scratchName } from './snowflake.ts';
import { listStage, makeStage } from './stages.ts';
import { ensureSchema } from './tables.ts';

// Staging is a named stage of the run: a file per attempt, whose name says chunk, attempt and rows. PUT needs no warehouse,
// so none runs while chunks are scored. One COPY INTO, before rows are counted, makes a table of the files.

const NAME = /chunk-(\d+)-([0-9a-f]+)-(\d+)\.parquet$/;

/** Columns that no staged row leaves empty: MATCH_BY_COLUMN_NAME would fill one that a file lacks with nulls. */
const REQUIRED = ['chunk', 'attempt', 'provider', 'scored_at'];

export function stageName(snowflake: Snowflake, runId: string): string {
  return tableIdentifier(scratchName(snowflake, 'staged', runId));
}

/** Makes the run's stage, and an empty table with the columns of its files, which are learnt from the first. */
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

/** @param columns those of a scored file, in any case */
function definitions(columns: readonly Column[]): string {
  const list = columns.map((column) => {
    const type = snowflakeType(column as TableColumn);
    return `${identifier(column.name)} ${type}${REQUIRED.includes(column.name.toLowerCase()) ? ' NOT NULL' : ''}`;
  });
  return `(${list.join(', ')})`;
}

/** Uploads a scored file; twice is harmless, since its name is its attempt's. */
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
    throw new ScoreBatchError('unavailable', `${path.basename(named)} was not uploaded to the stage of the run`, {
      details: put?.includes('SKIPPED') ? ['Snowflake skipped it'] : [],
      hint: 'start the same command again: it goes on from the chunks that are staged',
    });
  }
  await rm(named);
}

export async function stagedAttempts(snowflake: Snowflake, runId: string): Promise<StagedAttempt[]> {
  const files = await listStage(snowflake, 'staged', runId);
  return (files ?? []).flatMap(([name]) => attemptOf(name) ?? []);
}

/** What was counted, and the table in which it was. */
export interface CountedStaging {
  readonly tally: StagedTally;
  /** As SQL; undefined where nothing is staged. */
  readonly table: string | undefined;
}

/**
 * Loads what is staged and counts it. The table is this call's own: whoever else does the same at the same time loads into
 * another one, so that no file is in a table twice.
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
 * Removes files that do not hold the rows that their names say: no attempt of theirs is complete, and their chunks are to be
 * scored again.
 *
 * @param loaded rows of COPY INTO: file, status, rows_parsed, rows_loaded, …
 */
async function removeWrong(snowflake: Snowflake, runId: string, loaded: readonly TextRow[]): Promise<void> {
  for (const [file, status, , rows] of loaded) {
    const attempt = attemptOf(file);
    if (attempt === undefined) {
      throw new ScoreBatchError(
        'conflict',
        `the stage of the run holds a file that is not one of its own: ${file} (${status})`,
        {
          hint: 'somebody put it there: remove it, and start the same command again',
        },
      );
    }
    if (attempt.rows === Number(rows)) continue;
    await run(snowflake, `REMOVE @${stageName(snowflake, runId)}/${fileName(attempt)}`, runId);
  }
}

/** Not the name that is there: whoever may put files into the stage would write the statement. */
function fileName({ chunk, attempt, rows }: StagedAttempt): string {
  return `chunk-${chunk}-${attempt}-${rows}.parquet`;
}

function attemptOf(file: string | null | undefined): StagedAttempt | undefined {
  const match = NAME.exec(file ?? '');
  return match ? { chunk: Number(match[1]), attempt: match[2] ?? '', rows: Number(match[3]) } : undefined;
}
