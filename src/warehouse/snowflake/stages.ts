import type { TextRow } from '../reader.ts';
import { comment } from './comment.ts';
import { isMissing } from './errors.ts';
import { tableIdentifier } from './names.ts';
import { run, type Snowflake, scratchName } from './snowflake.ts';
import { createTable, unlessThere } from './tables.ts';

/**
 * Creates a stage of the run and, before it, an empty table of the same name, if they do not exist. Scratch is listed by
 * tables, so a stage is found by its table (see `dropArtifact`).
 *
 * @param definitions the table's columns, in parentheses
 */
export async function makeStage(snowflake: Snowflake, purpose: string, runId: string, definitions: string): Promise<void> {
  const name = scratchName(snowflake, purpose, runId);
  const mark = comment(snowflake, runId);
  await createTable(snowflake, name, () =>
    run(
      snowflake,
      `CREATE TRANSIENT TABLE IF NOT EXISTS ${tableIdentifier(name)} ${definitions}
       DATA_RETENTION_TIME_IN_DAYS = 0 ${mark}`,
      runId,
    ),
  );
  await unlessThere(
    async () => (await listStage(snowflake, purpose, runId)) !== undefined,
    () => run(snowflake, `CREATE STAGE IF NOT EXISTS ${tableIdentifier(name)} ${mark}`, runId),
  );
}

/** The stage's files, names first; undefined if the stage does not exist. */
export async function listStage(snowflake: Snowflake, purpose: string, runId: string): Promise<readonly TextRow[] | undefined> {
  try {
    return await run(snowflake, `LIST @${tableIdentifier(scratchName(snowflake, purpose, runId))}`, runId);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
