import type { KeyHash } from '../../../src/domain/checksum.ts';
import type { FrozenTable } from '../../../src/domain/frozen-table.ts';
import type { KeptRows } from '../../../src/domain/kept-rows.ts';
import type { Query } from '../../../src/domain/query.ts';
import { type Column, findColumn, type Schema } from '../../../src/domain/schema.ts';
import { type Database, openDatabase } from '../../../src/duckdb/database.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/project.ts';

export const USERS = plain('select user_id, country, a, b from users');

export function plain(sql: string): Query {
  return { name: 'jobs/query.sql', texts: [sql], parameters: [] };
}

export function named(schema: Schema, names: readonly string[]): Column[] {
  return names.map((name) => {
    const column = findColumn(schema, name);
    if (column === undefined) throw new Error(`no column ${name}`);
    return { ...column, name };
  });
}

export interface FreezeSettings {
  readonly key?: readonly string[];
  readonly chunkRows?: number;
  readonly hash?: KeyHash;
  readonly kept?: KeptRows;
}

export async function freeze(
  { source }: Warehouse,
  runId: string,
  from: Query,
  { key = ['user_id'], chunkRows = 100, hash = 'native', kept }: FreezeSettings = {},
): Promise<FrozenTable> {
  const schema = await source.describe(from);
  // As a job spells them, which is how they are called from here on.
  const columns = schema.map((column) => ({ ...column, name: column.name.toLowerCase() }));
  return await source.freeze(from, { runId, key: named(columns, key), columns, chunkRows, hash, kept });
}

/** The keys of each chunk, as a chunk worker would read them. */
export async function frozenIds({ source }: Warehouse, frozen: FrozenTable): Promise<number[][]> {
  const chunks: number[][] = [];
  await withWorker(async (database) => {
    for (const { chunk } of frozen.chunks) {
      await source.loadChunk(frozen, chunk, database);
      const rows = await database.rows('select user_id from chunk order by 1');
      chunks.push(rows.map(([id]) => Number(id)));
    }
  });
  return chunks;
}

/** An in-memory DuckDB as a chunk worker has it. */
export async function withWorker(work: (database: Database) => Promise<void>): Promise<void> {
  await using database = await openDatabase(':memory:', { threads: 1, memory: 1e9, temporary: await temporaryFolder() });
  await work(database);
}
