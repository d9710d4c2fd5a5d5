import type { TableName } from '../domain/table-name.ts';

/** A quoted SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function tableIdentifier(name: TableName): string {
  return name.map(identifier).join('.');
}

/** Prefix for a DuckDB function, to avoid calling a macro of the user's database with the same name. */
export const BUILT_IN = 'system.main.';

/** An SQL string literal, for places where values cannot be bound, such as file lists. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A list of files for DuckDB's Parquet functions. They treat the path of an existing file literally, not as a pattern. */
export function fileList(files: readonly string[]): string {
  return `[${files.map(literal).join(', ')}]`;
}

/** A scan of Parquet files in the given order, without columns from folder names, which could collide with the query's. */
export function parquetScan(files: readonly string[]): string {
  return `read_parquet(${fileList(files)}, hive_partitioning = false)`;
}

/** The same with `file_row_number`, the number of a row in its file, from 0. */
export function numberedScan(files: readonly string[]): string {
  return `read_parquet(${fileList(files)}, hive_partitioning = false, file_row_number = true)`;
}
