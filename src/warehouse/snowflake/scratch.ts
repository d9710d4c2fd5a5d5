import type { TableName } from '../../domain/table-name.ts';
import { isOver, type Mark, readMark } from '../mark.ts';
import type { RunsOver } from '../warehouse.ts';
import { literal } from './dialect.ts';
import { isMissing } from './errors.ts';
import { exactly, identifier, stored, tableIdentifier } from './names.ts';
import { run, type Snowflake } from './snowflake.ts';

/** A table in scratch that is ours. A run's stage is called as a table of the run, whose mark counts for both. */
interface Left {
  /** As Snowflake keeps it. */
  readonly name: string;
  readonly mark: Mark;
}

/** Drops what the job's runs left in scratch that are over, or whose deadline is past. */
export async function collect(snowflake: Snowflake, over: RunsOver, now: number): Promise<void> {
  const left = await listLeft(snowflake);
  if (left.length === 0) return;
  const done = await over();
  await drop(
    snowflake,
    left.filter(({ mark }) => isOver(mark, done, now)),
  );
}

/** Drops the run's tables that begin with one of these, and the stage that is called as one of them. */
export async function dropRun(snowflake: Snowflake, runId: string, purposes: readonly string[]): Promise<void> {
  const left = await listLeft(snowflake);
  await drop(
    snowflake,
    left.filter(
      ({ mark, name }) => mark.run === runId && purposes.some((purpose) => name.startsWith(stored(`${PREFIX}${purpose}_`))),
    ),
  );
}

const PREFIX = 'score_batch_';

async function drop(snowflake: Snowflake, left: readonly Left[]): Promise<void> {
  for (const { name } of left) {
    const sql = `${tableIdentifier(snowflake.scratch)}.${exactly(name)}`;
    // The table last: it is what a stage is found by.
    if (name.startsWith(stored(`${PREFIX}staged_`))) await run(snowflake, `DROP STAGE IF EXISTS ${sql}`);
    await run(snowflake, `DROP TABLE IF EXISTS ${sql}`);
  }
}

/** What of this job is in scratch; nothing where there is no scratch schema. */
async function listLeft(snowflake: Snowflake): Promise<Left[]> {
  try {
    const tables = await run(snowflake, selectTables(snowflake.scratch));
    return tables.flatMap(([name, comment]) => {
      const mark = readMark(comment);
      return mark?.job === snowflake.job ? [{ name: name ?? '', mark }] : [];
    });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function selectTables([database = '', schema = '']: TableName): string {
  return `SELECT TABLE_NAME, COMMENT FROM ${identifier(database)}.INFORMATION_SCHEMA.TABLES
    WHERE TABLE_SCHEMA = ${literal(stored(schema))} AND STARTSWITH(TABLE_NAME, ${literal(stored(PREFIX))})`;
}
