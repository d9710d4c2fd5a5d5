import { randomBytes } from 'node:crypto';
import { stagedKey } from '../../domain/staged-columns.ts';
import type { TableColumn } from '../../domain/tables.ts';
import type { PublicationSpec } from '../publication-spec.ts';
import { insertKeys, KEYS_AT_ONCE } from '../sql/current-rows.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { digest, type FullName } from './names.ts';
import { run } from './query.ts';
import { scratchClause, scratchName, scratchTable } from './scratch.ts';

/**
 * If there are many, writes the gone keys to a table of this call's own: BigQuery limits a job's text to a megabyte.
 *
 * @returns the table; undefined if the script can list the keys itself
 */
export async function writeGone(
  connection: Connection,
  { entry, key, current }: PublicationSpec,
): Promise<FullName | undefined> {
  if (current === undefined || current.whole || current.gone.length <= KEYS_AT_ONCE) return undefined;
  const id = digest(entry.runId, randomBytes(8).toString('hex'));
  const name = scratchName(connection, 'gone', id);
  const columns = key.map((column, i) => `${stagedKey(i)} ${BIGQUERY.type(column as TableColumn)}`);
  const options = { runId: entry.runId };
  await run(connection, `CREATE TABLE ${name} (${columns.join(', ')}) ${scratchClause(connection, entry.runId)}`, options);
  // Running a statement twice does no harm: the keys are a set.
  for (const sql of insertKeys(BIGQUERY, name, { key, keys: current.gone })) await run(connection, sql, options);
  return scratchTable(connection, 'gone', id);
}
