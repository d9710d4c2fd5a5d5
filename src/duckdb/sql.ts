import type { TableName } from '../domain/table-name.ts';

/** A name as SQL, whatever it holds. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function tableIdentifier(name: TableName): string {
  return name.map(identifier).join('.');
}

/** Stands before a function of DuckDB where a macro of the user's database by its name would be called instead. */
export const BUILT_IN = 'system.main.';

/** Text as an SQL literal, for places where no value can be bound, such as file lists. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Files as a list for DuckDB's Parquet functions, which take a file that exists for itself and not for a pattern. */
export function fileList(files: readonly string[]): string {
  return `[${files.map(literal).join(', ')}]`;
}

/** A scan of Parquet files in the order given. Folder names are not columns: a query may have a column of that name. */
export function parquetScan(files: readonly string[]): string {
  return `read_parquet(${fileList(files)}, hive_partitioning = false)`;
}

/** The same with `file_row_number`, a row's number in its file from 0. */
export function numberedScan(file: string): string {
  return `read_parquet(${fileList([file])}, hive_partitioning = false, file_row_number = true)`;
}
