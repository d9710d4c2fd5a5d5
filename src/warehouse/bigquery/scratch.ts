import type { KeptRows } from '../../domain/kept-rows.ts';
import type { ScratchArtifact } from '../../domain/scratch-artifact.ts';
import { showTableName } from '../../domain/table-name.ts';
import { artifactsOf, newMark, readMark } from '../mark.ts';
import { type Connection, labelsOf } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { type FullName, partsOf, suffixOf } from './names.ts';
import { dropTable, getTable, listTables } from './rest-tables.ts';

/** Content of a run's table in scratch. */
export type ScratchKind = 'frozen' | 'manifest' | 'staged' | 'ranked' | 'reasons' | 'gone' | 'probe';

const PREFIX = 'score_batch_';

export function scratchTable({ scratch }: Connection, kind: ScratchKind, runId: string): FullName {
  return { ...scratch, table: `${PREFIX}${kind}_${suffixOf(runId)}` };
}

/** Options of a new table in scratch: our mark, labels for billing, and the time after which BigQuery drops it. */
export function scratchOptions(connection: Connection, runId: string, kept?: KeptRows) {
  const mark = newMark(connection.job, runId, kept);
  const expirationTime = String(Date.parse(mark.deadline));
  return { description: JSON.stringify(mark), labels: labelsOf(connection, runId), expirationTime };
}

/** `scratchOptions` as an OPTIONS clause. */
export function scratchClause(connection: Connection, runId: string, kept?: KeptRows): string {
  const { description, labels, expirationTime } = scratchOptions(connection, runId, kept);
  const { literal } = BIGQUERY;
  const pairs = Object.entries(labels).map(([name, value]) => `(${literal(name)}, ${literal(value)})`);
  const expiration = `TIMESTAMP ${literal(new Date(Number(expirationTime)).toISOString())}`;
  return `OPTIONS(expiration_timestamp = ${expiration}, labels = [${pairs.join(', ')}], description = ${literal(description)})`;
}

export function scratchName(connection: Connection, kind: ScratchKind, runId: string): string {
  return BIGQUERY.table(partsOf(scratchTable(connection, kind, runId)));
}

/** The job's tables in scratch by full name. The mark in the description shows the owner; the name alone does not. */
export async function listArtifacts(connection: Connection, kinds: readonly ScratchKind[]): Promise<ScratchArtifact[]> {
  const { scratch, job } = connection;
  const left: ScratchArtifact[] = [];
  for (const table of await listTables(connection, scratch)) {
    if (!kinds.some((kind) => table.startsWith(`${PREFIX}${kind}_`))) continue;
    const found = await getTable(connection, { ...scratch, table });
    left.push(...artifactsOf(job, showTableName(partsOf({ ...scratch, table })), readMark(found?.description)));
  }
  return left;
}

export async function dropArtifact(connection: Connection, { name }: ScratchArtifact): Promise<void> {
  await dropTable(connection, { ...connection.scratch, table: name.slice(name.lastIndexOf('.') + 1) });
}
