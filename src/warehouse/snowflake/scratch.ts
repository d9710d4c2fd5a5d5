import type { ScratchArtifact } from '../../domain/scratch-artifact.ts';
import type { TableName } from '../../domain/table-name.ts';
import { artifactsOf, readMark } from '../mark.ts';
import { literal } from './dialect.ts';
import { isMissing } from './errors.ts';
import { exactly, identifier, stored, tableIdentifier } from './names.ts';
import { run, type Snowflake } from './snowflake.ts';

const PREFIX = 'score_batch_';

/** The job's tables in scratch by full, quoted name; empty if the scratch schema does not exist. */
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

/**
 * Purposes for which a run has a stage next to the table of the same name; the table's mark covers both. See `makeStage`.
 */
const STAGES = ['staged', 'unloaded'];

/** Drops the table, and the stage of the same name if it has one. */
export async function dropArtifact(snowflake: Snowflake, { name }: ScratchArtifact): Promise<void> {
  // The table last, because a stage is found by its table.
  const isStage = STAGES.some((purpose) => name.includes(`."${stored(`${PREFIX}${purpose}_`)}`));
  if (isStage) await run(snowflake, `DROP STAGE IF EXISTS ${name}`);
  await run(snowflake, `DROP TABLE IF EXISTS ${name}`);
}

/** Drops the run's artifacts with these purposes. */
export async function dropRun(snowflake: Snowflake, runId: string, purposes: readonly string[]): Promise<void> {
  for (const artifact of await listArtifacts(snowflake, purposes)) {
    if (artifact.run === runId) await dropArtifact(snowflake, artifact);
  }
}

function selectTables([database = '', schema = '']: TableName): string {
  return `SELECT TABLE_NAME, COMMENT FROM ${identifier(database)}.INFORMATION_SCHEMA.TABLES
    WHERE TABLE_SCHEMA = ${literal(stored(schema))} AND STARTSWITH(TABLE_NAME, ${literal(stored(PREFIX))})`;
}
