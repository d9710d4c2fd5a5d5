import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import type { TableName } from '../../domain/table-name.ts';
import { openDatabase } from '../../duckdb/database.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { type DatasetName, type FullName, fullName, partsOf } from './names.ts';
import { rows, run } from './query.ts';
import { readTable } from './read.ts';
import { createTable, dropTable, hasDataset } from './rest-tables.ts';
import { scratchOptions, scratchTable } from './scratch.ts';

// Each statement proves a permission that a run needs. A probe table is created, used and dropped; nothing else is touched.

const COLUMN = { name: 'proven', type: 'integer' } as const;

/** Proves the permissions to run queries, to create tables in scratch and to read them through the Storage API. */
export async function probeSource(connection: Connection): Promise<string> {
  await rows(connection, "SELECT 'proven'");
  if (!(await hasDataset(connection, connection.scratch)))
    return `${show(connection.scratch)} does not exist yet; the first run creates it`;
  await withProbeTable(connection, connection.scratch, async (table) => {
    await using database = await openDatabase(':memory:', { threads: 1, memory: connection.memory, temporary: tmpdir() });
    await readTable(connection, database, { table, columns: [COLUMN], restriction: '', into: 'proven' });
  });
  return `queries run in ${connection.home.project}, and tables can be created and read in ${show(connection.scratch)}`;
}

/**
 * Proves the permissions to create tables and to write them in a transaction, in scratch and in the datasets of the job's
 * tables.
 *
 * @param targets names of the job's tables
 */
export async function probeSink(connection: Connection, targets: readonly TableName[]): Promise<string> {
  await rows(connection, "SELECT 'proven'");
  const found: string[] = [];
  for (const dataset of distinct([connection.scratch, ...targets.map((name) => fullName(name, connection.home))])) {
    if (!(await hasDataset(connection, dataset))) {
      found.push(`${show(dataset)} does not exist yet; the first run creates it`);
      continue;
    }
    await withProbeTable(connection, dataset, async (table) => {
      const name = BIGQUERY.table(partsOf(table));
      await run(
        connection,
        `BEGIN TRANSACTION;
         INSERT INTO ${name} (proven) VALUES (1); UPDATE ${name} SET proven = 2 WHERE TRUE; DELETE FROM ${name} WHERE TRUE;
         COMMIT TRANSACTION;`,
      );
    });
    found.push(`tables can be created and written in ${show(dataset)}`);
  }
  return found.join('; ');
}

async function withProbeTable(
  connection: Connection,
  dataset: DatasetName,
  work: (table: FullName) => Promise<void>,
): Promise<void> {
  const id = randomBytes(8).toString('hex');
  // Copies only project and dataset: the table to create, write and drop must never be one of the job.
  const { table: own } = scratchTable(connection, 'probe', id);
  const table: FullName = { project: dataset.project, dataset: dataset.dataset, table: own };
  await createTable(connection, table, {
    schema: { fields: [{ name: 'proven', type: 'INT64' }] },
    ...scratchOptions(connection, id),
  });
  try {
    await work(table);
  } finally {
    await dropTable(connection, table);
  }
}

function distinct(datasets: readonly DatasetName[]): DatasetName[] {
  return [...new Map(datasets.map(({ project, dataset }) => [`${project}.${dataset}`, { project, dataset }])).values()];
}

function show({ project, dataset }: DatasetName): string {
  return `${project}.${dataset}`;
}
