import { hashOf, publishedRows, tableOf } from '../../compare/scored-rows.ts';
import { type FoundSide, rowsOfSide } from '../../compare/side.ts';
import { SCORE_SCALE, type TableColumn } from '../../domain/tables.ts';
import { appendText } from '../../duckdb/append-text.ts';
import type { Database } from '../../duckdb/database.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { TableReader } from '../../warehouse/reader.ts';

/** A publication of the batch job, and how to read its tables. */
export interface Batch {
  readonly side: FoundSide;
  read<T>(work: (reader: TableReader) => Promise<T>): Promise<T>;
}

/** Rows held as strings at once, about 30 MB. */
const ROWS_AT_ONCE = 250_000;

/**
 * Loads the published scores into the table `published` of an in-memory database.
 *
 * @throws ScoreBatchError `refused` if the rows are no longer those that were published
 */
export async function loadPublished(database: Database, { side, read }: Batch): Promise<void> {
  await database.run('CREATE TEMP TABLE published_texts (t0 VARCHAR, t1 VARCHAR)');
  const parts = Math.max(1, Math.ceil(side.users / ROWS_AT_ONCE));
  const scored = await read((reader) => rowsOfSide(reader, side));
  for (let part = 0; part < parts; part += 1) {
    const rows = await read(({ dialect, rows: select }) => {
      const texts = [
        dialect.text('key_0', scored.key[0] ?? { type: 'string' }),
        dialect.text('millionths', { type: 'integer' }),
      ];
      return select(`SELECT ${texts.map((text, i) => `${text} AS text_${i}`).join(', ')}
        FROM (${scored.select}) side_rows WHERE MOD(${hashOf(dialect, scored)}, ${parts}) = ${part}`);
    });
    await appendText(database, 'published_texts', 2, rows);
  }
  await database.run('CREATE TABLE published AS SELECT t0 AS id, CAST(t1 AS BIGINT) AS millionths FROM published_texts');
  await database.run('DROP TABLE published_texts');
}

/**
 * What the batch keeps of some events beside their scores, as canonical strings by id.
 *
 * @param columns of the scores table
 */
export async function keptOf(
  { side, read }: Batch,
  columns: readonly TableColumn[],
  ids: readonly string[],
): Promise<Map<string, readonly (string | null)[]>> {
  const { rows } = side;
  const [key] = rows.key;
  if (columns.length === 0 || ids.length === 0 || key === undefined) return new Map();
  const found = await read(async (reader) => {
    const { dialect } = reader;
    const table = await reader.find(tableOf(rows));
    if (table === undefined) return [];
    // Read the columns as if they were parts of the key.
    const { select } = publishedRows(dialect, table, { ...rows, key: [key, ...columns] });
    const texts = [key, ...columns].map((column, i) => `${dialect.text(`key_${i}`, column)} AS text_${i}`);
    const among = ids.map((id) => dialect.literal(id)).join(', ');
    return await reader.rows(
      `SELECT ${texts.join(', ')} FROM (${select}) side_rows WHERE ${dialect.text('key_0', key)} IN (${among})`,
    );
  });
  return new Map(found.map(([id, ...values]) => [String(id), values]));
}

/** @throws ScoreBatchError `configuration` if the key of the batch is not the id of events */
export function refuseOtherKey({ side }: Batch, id: string, batch: string): void {
  const names = side.rows.key.map(({ name }) => name);
  if (names.length === 1 && names[0]?.toLowerCase() === id.toLowerCase()) return;
  throw new ScoreBatchError(
    'configuration',
    `${batch} has the key ${names.join(', ')}, but events are matched by their id, ${id}`,
    { hint: `set source.key: [${id}] in the job file of ${batch}, and run the window again` },
  );
}

/** Converts millionths to a score. */
export function scoreOf(millionths: number): number {
  return millionths / 10 ** SCORE_SCALE;
}
