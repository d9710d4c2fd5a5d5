import type { RunsOver } from '../warehouse.ts';
import { type Connection, labelsOf } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { type FullName, partsOf, suffixOf } from './names.ts';
import { dropTable, getTable, listTables } from './rest-tables.ts';

/** What a table in scratch says of itself in its description; one without it is not ours and is left alone. */
interface Mark {
  readonly createdBy: 'score-batch';
  readonly job: string;
  readonly run: string;
  /** ISO instant after which the table may go, whatever became of its run. */
  readonly deadline: string;
}

/** What the tables of a run in scratch hold. */
export type ScratchKind = 'frozen' | 'manifest' | 'staged' | 'ranked' | 'probe';

const PREFIX = 'score_batch_';
const LIFETIME_MS = 7 * 86_400_000;

export function scratchTable({ scratch }: Connection, kind: ScratchKind, runId: string): FullName {
  return { ...scratch, table: `${PREFIX}${kind}_${suffixOf(runId)}` };
}

/** What a new table in scratch carries: our mark, labels for the bill, and the time after which BigQuery drops it. */
export function scratchOptions(connection: Connection, runId: string) {
  const deadline = Date.now() + LIFETIME_MS;
  const mark: Mark = { createdBy: 'score-batch', job: connection.job, run: runId, deadline: new Date(deadline).toISOString() };
  return { description: JSON.stringify(mark), labels: labelsOf(connection, runId), expirationTime: String(deadline) };
}

/** The same as an OPTIONS clause. */
export function scratchClause(connection: Connection, runId: string): string {
  const { description, labels, expirationTime } = scratchOptions(connection, runId);
  const { literal } = BIGQUERY;
  const pairs = Object.entries(labels).map(([name, value]) => `(${literal(name)}, ${literal(value)})`);
  const expiration = `TIMESTAMP ${literal(new Date(Number(expirationTime)).toISOString())}`;
  return `OPTIONS(expiration_timestamp = ${expiration}, labels = [${pairs.join(', ')}], description = ${literal(description)})`;
}

export function scratchName(connection: Connection, kind: ScratchKind, runId: string): string {
  return BIGQUERY.table(partsOf(scratchTable(connection, kind, runId)));
}

/**
 * Drops tables of the job whose run is over, or whose deadline is past, where BigQuery has not done it yet. The descriptions
 * tell which: a table's name may be anybody's.
 */
export async function collect(
  connection: Connection,
  kinds: readonly ScratchKind[],
  over: RunsOver,
  now: number,
): Promise<void> {
  const names = await listTables(connection, connection.scratch);
  let done: ReadonlySet<string> | undefined;
  for (const table of names) {
    if (!kinds.some((kind) => table.startsWith(`${PREFIX}${kind}_`))) continue;
    const name = { ...connection.scratch, table };
    const mark = readMark((await getTable(connection, name))?.description);
    if (mark?.job !== connection.job) continue;
    done ??= await over();
    if (done.has(mark.run) || Date.parse(mark.deadline) < now) await dropTable(connection, name);
  }
}

function readMark(description: string | undefined): Mark | undefined {
  try {
    const mark = JSON.parse(description ?? '') as Mark;
    return mark.createdBy === 'score-batch' ? mark : undefined;
  } catch {
    return undefined;
  }
}
