import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { stagedKey } from '../../domain/staged-columns.ts';
import type { Database } from '../../duckdb/database.ts';
import { orderedRowGroupsOf, rowGroupBytes } from '../../duckdb/row-groups.ts';
import { literal, numberedScan } from '../../duckdb/sql.ts';
import { keyTexts } from '../sql/dialect.ts';
import { rankedColumns } from '../sql/publication.ts';
import type { PublicationSpec } from '../warehouse.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withMemory } from './file.ts';
import { PLAIN } from './plain.ts';
import { makeRoom } from './room.ts';
import { runFolder } from './scratch.ts';
import { openStaged } from './staged-rows.ts';
import { stagedWidth } from './staged-width.ts';

/** With less memory for each value, sorting fails where rows are many, however much of them is spilled. */
const BYTES_PER_VALUE = 4;
/** The same for wide rows, as a part of their bytes. */
const PART_OF_ROW = 1 / 8;

type RankedSpec = Pick<PublicationSpec, 'entry' | 'key' | 'keep' | 'scored' | 'pinned'>;

/** Scores from `low` on, below the stretch before; highest first. */
interface Stretch {
  readonly low: string;
  readonly rows: number;
}

/**
 * Sorts the scored rows into Parquet files, a stretch of scores in each, so that memory is enough for any number of rows. A rank
 * is the place in these files: to number rows in the query would leave the sort's output to one thread.
 *
 * @param staging folder of the pinned attempts
 * @param most rows that are sorted at once; by default as many as the memory is enough for
 * @returns what stands after FROM for the rows with their ranks
 */
export async function rankRows(
  file: DuckdbFile,
  { entry, key, keep, scored, pinned }: RankedSpec,
  staging: string,
  most?: number,
): Promise<string> {
  const columns = rankedColumns(key, keep);
  const order = keyTexts(
    DUCKDB,
    key.map((column, i) => ({ ...column, name: stagedKey(i) })),
  );
  const folder = runFolder(file, entry.runId);
  const name = path.join(folder, `ranked-${randomBytes(4).toString('hex')}`);
  return await withMemory(file, folder, async (database) => {
    using staged = await openStaged(database, staging, pinned);
    const width = await stagedWidth(database, staged.files);
    const memory = await makeRoom(database, file, width.group);
    const inStretch = most ?? mostRows(memory, columns.length, width.row);
    const rowGroups = orderedRowGroupsOf(rowGroupBytes(memory / 2), width.row);
    const stretches = scored <= inStretch ? [{ low: '0', rows: scored }] : await stretchesOf(database, staged.all, inStretch);
    const selects: string[] = [];
    let above = 0;
    for (const [i, { low, rows }] of stretches.entries()) {
      const ranked = `${name}_${i}.parquet`;
      const high = stretches[i - 1]?.low;
      const inside = [`score >= ${low}`, ...(high === undefined ? [] : [`score < ${high}`])].join(' AND ');
      // Only what is published is sorted: what else staging says of a row would double the width.
      await database.run(
        `COPY (SELECT ${columns.join(', ')} FROM ${staged.all} WHERE ${inside} ORDER BY score DESC, ${order.join(', ')})
         TO ${literal(ranked)} (FORMAT parquet, ${PLAIN}, ${rowGroups})`,
      );
      selects.push(`SELECT *, file_row_number + ${above + 1} AS rank FROM ${numberedScan(ranked)}`);
      above += rows;
    }
    return `(${selects.join(' UNION ALL ')}) AS ranked`;
  });
}

/** @param rowBytes bytes of a row */
function mostRows(memory: number, columns: number, rowBytes: number): number {
  return Math.floor(memory / Math.max(BYTES_PER_VALUE * columns, PART_OF_ROW * rowBytes));
}

/** Divides the scores, so that a stretch has `most` rows or, beyond that, those of one more score. */
async function stretchesOf(database: Database, staged: string, most: number): Promise<Stretch[]> {
  const rows = await database.rows(
    `WITH scores AS (SELECT score, count(*) AS n FROM ${staged} WHERE score IS NOT NULL GROUP BY score),
       placed AS (SELECT score, n, (sum(n) OVER (ORDER BY score DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - n) // ${most} AS stretch FROM scores)
     SELECT CAST(min(score) AS VARCHAR), CAST(sum(n) AS BIGINT) FROM placed GROUP BY stretch ORDER BY stretch`,
  );
  return rows.map(([low, count]) => ({ low: String(low), rows: Number(count) }));
}
