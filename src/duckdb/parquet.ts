import type { TableColumn } from '../domain/tables.ts';
import type { Database } from './database.ts';
import { identifier, literal } from './sql.ts';
import { duckdbType } from './types.ts';

/** A Parquet file of ranked rows. */
export interface ParquetFile {
  /** Where it is written; replaced if it exists. */
  readonly path: string;
  readonly columns: readonly TableColumn[];
  /** The error to throw if the file cannot be written. */
  readonly failed: (reason: string, cause: unknown) => Error;
}

/**
 * Rows of a group if strings are short, and of a block whose size is measured. DuckDB reads and writes vectors of this size.
 */
const GROUP = 122_880;
const BLOCK = 2_048;
/** Most bytes of strings in a group, which is held in memory while it is written. */
const GROUP_BYTES = 32 * 2 ** 20;

/**
 * Writes rows in the order of their column `rank`. DuckDB sorts on disk if they do not fit its memory. Group sizes depend only
 * on the rows, so the same rows give the same bytes with any number of threads.
 *
 * @param from FROM clause with its condition
 */
export async function writeParquet(database: Database, from: string, { path, columns, failed }: ParquetFile): Promise<void> {
  const texts = columns.filter(({ type }) => type === 'string').map(({ name }) => identifier(name));
  const [widest] =
    texts.length === 0
      ? []
      : await database.rows(
          `SELECT CAST(max(bytes) AS BIGINT) FROM (
             SELECT sum(strlen(concat(${texts.join(', ')}))) AS bytes FROM ${from} GROUP BY rank // ${BLOCK})`,
        );
  const blocks = Math.floor(GROUP_BYTES / Math.max(1, Number(widest?.[0] ?? 0)));
  const group = Math.max(BLOCK, Math.min(GROUP, blocks * BLOCK));
  const values = columns.map(
    (column) => `CAST(${identifier(column.name)} AS ${duckdbType(column)}) AS ${identifier(column.name)}`,
  );
  try {
    await database.run(
      `COPY (SELECT ${values.join(', ')} FROM ${from} ORDER BY rank) TO ${literal(path)} (FORMAT parquet, ROW_GROUP_SIZE ${group}, USE_TMP_FILE false)`,
    );
  } catch (error) {
    const reason = reasonOf(error, path);
    throw reason === undefined ? error : failed(reason, error);
  }
}

/** Why a file cannot be written; undefined if the error has another cause, such as reading the rows. */
function reasonOf(error: unknown, path: string): string | undefined {
  const message = error instanceof Error ? error.message : '';
  if (!/^IO Error/.test(message)) return undefined;
  const [known] = /No space left on device|Permission denied|Read-only file system|Disk quota exceeded/i.exec(message) ?? [];
  return known?.toLowerCase() ?? (message.includes(path) ? 'DuckDB cannot write the file' : undefined);
}
