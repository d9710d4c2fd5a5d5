import type { ScratchArtifact } from '../../domain/scratch-artifact.ts';
import type { TableName } from '../../domain/table-name.ts';
import { artifactsOf, readMark } from '../mark.ts';
import { literal } from './dialect.ts';
import { isMissing } from './errors.ts';
import { exactly, identifier, stored, tableIdentifier } from './names.ts';
import { run, type Snowflake } from './snowflake.ts';

const PREFIX = 'score_batch_';

/** The job's tables in scratch by their full names, quoted; none where there is no scratch schema. */
export async function listArtifacts(snowflake: Snowflake, purposes: readonly string[]): Promise<ScratchArtifact[]> {
  try {
    const tables = await run(snowflake, selectTables(snowflake.scratch));
    return tables.flatMap(([name, comment]) => {
      if (!purposes.some((purpose) => name?.startsWith(stored(`${PREFIX}${purpose}_`)))) return [];
      return artifactsOf(snowflake.job, `${tableIdentifier(snowflake.scratch)}.${exactly(name ?? '')}`, readMark(comment));
    });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Purposes for which a run has a stage beside the table of the same name, whose mark counts for both; see `makeStage`. */
const STAGES = ['staged', 'unloaded'];

/** Drops the table, and the stage of its name where it is the table of one. */
export async function dropArtifact(snowflake: Snowflake, { name }: ScratchArtifact): Promise<void> {
  // The table last: it is what a stage is found by.
  const isStage = STAGES.some((purpose) => name.includes(`."${stored(`${PREFIX}${purpose}_`)}`));
  if (isStage) await run(snowflake, `DROP STAGE IF EXISTS ${name}`);
  await run(snowflake, `DROP TABLE IF EXISTS ${name}`);
}

/** Drops what the run has for these purposes. */
export async function dropRun(snowflake: Snowflake, runId: string, purposes: readonly string[]): Promise<void> {
  for (const left of await listArtifacts(snowflake, purposes)) if (left.run === runId) await dropArtifact(snowflake, left);
}

function selectTables([database = '', schema = '']: TableName): string {
  return `SELECT TABLE_NAME, COMMENT FROM ${identifier(database)}.INFORMATION_SCHEMA.TABLES
    WHERE TABLE_SCHEMA = ${literal(stored(schema))} AND STARTSWITH(TABLE_NAME, ${literal(stored(PREFIX))})`;
}
