import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Database } from '../../duckdb/database.ts';
import { orderedRowGroupsOf, rowGroupBytes } from '../../duckdb/row-groups.ts';
import { literal, numberedScan } from '../../duckdb/sql.ts';
import type { PublicationSpec } from '../publication-spec.ts';
import { keyOrder } from '../sql/key-order.ts';
import { rankedColumns } from '../sql/publication.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withMemory } from './file.ts';
import { PLAIN } from './plain.ts';
import { makeRoom } from './room.ts';
import { runFolder } from './scratch.ts';
import { openStaged } from './staged-rows.ts';
import { stagedWidth } from './staged-width.ts';

/** With less memory per value, sorting many rows fails even with spilling. */
const BYTES_PER_VALUE = 4;
/** The same for wide rows, as a fraction of their bytes. */
const PART_OF_ROW = 1 / 8;

type RankedSpec = Pick<PublicationSpec, 'entry' | 'key' | 'keep' | 'scored' | 'pinned'>;

/** A range of scores, from `low` up to the previous range; highest first. */
interface ScoreRange {
  readonly low: string;
  readonly rows: number;
}

/**
 * Sorts the scored rows into Parquet files, one per range of scores, so that any number of rows fits into memory. A rank is
 * the position in these files: numbering rows in the query would make the sort's output single-threaded.
 *
 * @param staging folder of the pinned attempts
 * @param most rows to sort at once; defaults to what fits into memory
 * @returns FROM clause for the rows with their ranks
 */
export async function rankRows(
  file: DuckdbFile,
  { entry, key, keep, scored, pinned }: RankedSpec,
  staging: string,
  most?: number,
): Promise<string> {
  const columns = rankedColumns(key, keep);
  const order = keyOrder(DUCKDB, key, false);
  const folder = runFolder(file, entry.runId);
  const name = path.join(folder, `ranked-${randomBytes(4).toString('hex')}`);
  return await withMemory(file, folder, async (database) => {
    using staged = await openStaged(database, staging, pinned);
    const width = await stagedWidth(database, staged.files);
    const memory = await makeRoom(database, file, width.group);
    const rowsPerRange = most ?? mostRows(memory, columns.length, width.row);
    const rowGroups = orderedRowGroupsOf(rowGroupBytes(memory / 2), width.row);
    const ranges =
      scored <= rowsPerRange ? [{ low: '0', rows: scored }] : await scoreRangesOf(database, staged.all, rowsPerRange);
    const selects: string[] = [];
    let above = 0;
    for (const [i, { low, rows }] of ranges.entries()) {
      const ranked = `${name}_${i}.parquet`;
      const high = ranges[i - 1]?.low;
      const inside = [`score >= ${low}`, ...(high === undefined ? [] : [`score < ${high}`])].join(' AND ');
      // Sort only published columns; the other columns of staging would double the width.
      await database.run(
        `COPY (SELECT ${columns.join(', ')} FROM ${staged.all} WHERE ${inside} ORDER BY score DESC, ${order.join(', ')})
         TO ${literal(ranked)} (FORMAT parquet, ${PLAIN}, ${rowGroups})`,
      );
      selects.push(`SELECT *, file_row_number + ${above + 1} AS rank FROM ${numberedScan([ranked])}`);
      above += rows;
    }
    return `(${selects.join(' UNION ALL ')}) AS ranked`;
  });
}

/** @param rowBytes width of a row, bytes */
function mostRows(memory: number, columns: number, rowBytes: number): number {
  return Math.floor(memory / Math.max(BYTES_PER_VALUE * columns, PART_OF_ROW * rowBytes));
}

/** Divides the scores into ranges of `most` rows; a range can exceed that by the rows of its last score. */
async function scoreRangesOf(database: Database, staged: string, most: number): Promise<ScoreRange[]> {
  const rows = await database.rows(
    `WITH scores AS (SELECT score, count(*) AS n FROM ${staged} WHERE score IS NOT NULL GROUP BY score),
       placed AS (SELECT score, n, (sum(n) OVER (ORDER BY score DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - n) // ${most} AS stretch FROM scores)
     SELECT CAST(min(score) AS VARCHAR), CAST(sum(n) AS BIGINT) FROM placed GROUP BY stretch ORDER BY stretch`,
  );
  return rows.map(([low, count]) => ({ low: String(low), rows: Number(count) }));
}
