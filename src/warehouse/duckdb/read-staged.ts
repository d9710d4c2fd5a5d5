import { randomBytes } from 'node:crypto';
import { SKIP_KEY, stagedKey } from '../../domain/staged-columns.ts';
import type { StagedToRead } from '../publication-spec.ts';
import type { TableReader } from '../reader.ts';
import { readerOf } from './audit.ts';
import { type DuckdbFile, withFile } from './file.ts';
import { openStaged } from './staged-rows.ts';
import { stagingFolder } from './staging.ts';

/**
 * See `Sink.readStaged`. The rows are copied once, because every statement would look up the scores of a tapped attempt again.
 */
export async function readStaged<T>(
  file: DuckdbFile,
  { runId, key, pinned, slice }: StagedToRead,
  work: (reader: TableReader, staged: string) => Promise<T>,
): Promise<T> {
  return await withFile(file, 'read', async (database) => {
    const table = `score_batch_staged_${randomBytes(4).toString('hex')}`;
    const ofSlice = slice ? ['reason', SKIP_KEY, 'scored_at'] : [];
    const columns = [...key.map((_, i) => stagedKey(i)), 'score', ...ofSlice].join(', ');
    {
      using staged = await openStaged(database, stagingFolder(file, runId), pinned);
      await database.run(
        `CREATE TEMP TABLE ${table} AS SELECT ${columns} FROM ${staged.all}${slice ? '' : ' WHERE score IS NOT NULL'}`,
      );
    }
    try {
      return await work(readerOf(database), table);
    } finally {
      // The file may be shared with other reads.
      await database.run(`DROP TABLE ${table}`).catch(() => undefined);
    }
  });
}
