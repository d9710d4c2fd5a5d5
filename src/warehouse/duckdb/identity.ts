import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';

/**
 * What a DuckDB file is, whatever path leads to it: its inode and the moment of its birth, to the nanosecond. They stay while the
 * file is written to, renamed, or mounted elsewhere; a copy has others. Where the file system keeps no time of birth, the file
 * is one of this machine by its device.
 */
export async function fileIdentity(file: string): Promise<string> {
  const { dev, ino, birthtimeNs } = await stat(file, { bigint: true });
  return birthtimeNs > 0n ? `duckdb ${ino} ${birthtimeNs}` : `duckdb ${hostname()} ${dev} ${ino}`;
}
