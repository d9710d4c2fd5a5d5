import { COPIES_OF_WIDEST } from '../../domain/frozen-table.ts';
import type { Database } from '../../duckdb/database.ts';
import type { DuckdbFile } from './file.ts';

/**
 * Raises the memory limit of a database for wide rows, up to the reserve. The limit is usually lower than allowed, because
 * more memory would not make it faster.
 *
 * @param group bytes of the widest row group to read
 * @returns the memory limit, bytes
 */
export async function makeRoom(database: Database, { memory, reserve = memory }: DuckdbFile, group: number): Promise<number> {
  const needed = COPIES_OF_WIDEST * group;
  if (2 * needed <= memory) return memory;
  // Each thread holds its own row groups.
  await database.run('SET threads = 1');
  const wanted = Math.min(reserve, needed);
  if (wanted <= memory) return memory;
  await database.run(`SET memory_limit = '${Math.floor(wanted / 1_000_000)}MB'`);
  return wanted;
}
