import { COPIES_OF_WIDEST } from '../../domain/frozen-table.ts';
import type { Database } from '../../duckdb/database.ts';
import type { DuckdbFile } from './file.ts';

/**
 * Lets a database take more memory where rows are wide, as far as this process may use it. Usually it has less than it may: more would
 * make nothing faster.
 *
 * @param group bytes of the widest row group that is read
 * @returns bytes that it may use now
 */
export async function makeRoom(database: Database, { memory, reserve = memory }: DuckdbFile, group: number): Promise<number> {
  const needed = COPIES_OF_WIDEST * group;
  if (2 * needed <= memory) return memory;
  // Each thread has row groups of its own.
  await database.run('SET threads = 1');
  const wanted = Math.min(reserve, needed);
  if (wanted <= memory) return memory;
  await database.run(`SET memory_limit = '${Math.floor(wanted / 1_000_000)}MB'`);
  return wanted;
}
