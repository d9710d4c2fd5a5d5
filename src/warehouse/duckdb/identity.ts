import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';

/**
 * Identifies a DuckDB file independently of its path, by inode and creation time in nanoseconds. Both survive writes,
 * renames and remounts; a copy gets new ones. On a file system without creation times, the file is identified by host name,
 * device and inode.
 */
export async function fileIdentity(file: string): Promise<string> {
  const { dev, ino, birthtimeNs } = await stat(file, { bigint: true });
  return birthtimeNs > 0n ? `duckdb ${ino} ${birthtimeNs}` : `duckdb ${hostname()} ${dev} ${ino}`;
}
