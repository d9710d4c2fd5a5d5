import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Person } from '../../domain/erasure.ts';
import type { FrozenTable } from '../../domain/frozen-table.ts';
import type { Column } from '../../domain/schema.ts';
import type { Database } from '../../duckdb/database.ts';
import { filesIn } from '../../duckdb/files.ts';
import { rowGroupsOf } from '../../duckdb/row-groups.ts';
import { literal, parquetScan } from '../../duckdb/sql.ts';
import { systemCode } from '../../errors.ts';
import { erasedTwice, verifyBefore } from '../erased-twice.ts';
import { isTaken } from '../run-folder.ts';
import { countPerson, isPerson, keyIn } from '../sql/person.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withMemory } from './file.ts';
import { countFrozen, manifestOf, ROW_GROUP_BYTES, ROWS, verifyFrozen } from './freeze.ts';
import { placed } from './frozen-rows.ts';
import { PLAIN } from './plain.ts';
import { ERASED, FROZEN, finishErasure, frozenId, MANIFEST, makeRunFolder, runFolder } from './scratch.ts';

/**
 * Rewrites the frozen table without the person, to a folder beside it that then takes its place. If killed before that folder
 * has its name, nothing has changed; if killed later, the next process that reads the table puts the folder in place.
 *
 * @throws ScoreBatchError `conflict` if another process has erased somebody meanwhile: its rows still contain this person, and
 * these rows the other one
 */
export async function eraseFrozen(file: DuckdbFile, frozen: FrozenTable, { values }: Pick<Person, 'values'>): Promise<number> {
  const { runId, columns, kept } = frozen;
  const run = runFolder(file, runId);
  // Columns of the files are named by position.
  const places = columns.map((column, i) => ({ ...column, name: placed(i) }));
  const named = keyIn(columns, kept?.key ?? []);
  const key = named.map(({ name }) => places[columns.findIndex((column) => column.name === name)] as Column);
  const person = {
    key: keyIn(
      places,
      key.map(({ name }) => name),
    ),
    values,
  };
  await verifyBefore(
    frozen,
    () => verifyFrozen(file, frozen),
    async () => {
      await finishErasure(run);
      return await frozenId(file, runId);
    },
  );
  const files = await filesIn(path.join(run, FROZEN, ROWS));
  return await withMemory(file, run, async (database) => {
    const counts = await countIn(database, files, person);
    const removed = [...counts.values()].reduce((sum, count) => sum + count, 0);
    if (removed === 0) return 0;
    const folder = await makeRunFolder(file, runId, `erasing-${randomBytes(4).toString('hex')}`);
    try {
      await mkdir(path.join(folder, ROWS));
      for (const [name, count] of counts) {
        const copy = path.join(folder, ROWS, path.basename(name));
        if (count === 0) await copyFile(name, copy);
        else await copyOthers(database, name, copy, person);
      }
      const chunkRows = Math.max(1, ...frozen.chunks.map(({ rows }) => rows));
      const keyColumns = named.map(({ name }) => columns.find((column) => column.name === name) as Column);
      const options = { runId, columns, key: keyColumns, hash: frozen.hash, kept, chunkRows };
      const manifest = await manifestOf(file, folder, await countFrozen(database, folder, options, file));
      await writeFile(path.join(folder, MANIFEST), JSON.stringify({ ...manifest, replaces: frozen.id }));
      await rename(folder, path.join(run, ERASED));
      await finishErasure(run);
      if ((await frozenId(file, runId)) !== manifest.id) throw erasedTwice(runId);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      // The files may be gone while they are read, or the other process may have dropped what this one wrote.
      const lost = isTaken(error) || systemCode(error) === 'ENOENT' || (await frozenId(file, runId)) !== frozen.id;
      throw lost ? erasedTwice(runId, error) : error;
    }
    return removed;
  });
}

/** How many of the person's rows each file has. */
async function countIn(database: Database, files: readonly string[], person: Person): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const name of files) {
    const [[count] = []] = await database.rows(countPerson(DUCKDB, parquetScan([name]), person));
    counts.set(name, Number(count));
  }
  return counts;
}

/** The order does not matter, as when the rows were frozen. */
async function copyOthers(database: Database, name: string, copy: string, person: Person): Promise<void> {
  await database.run('SET preserve_insertion_order = false');
  await database.run(
    `COPY (SELECT * FROM ${parquetScan([name])} WHERE NOT coalesce(${isPerson(DUCKDB, person)}, false))
     TO ${literal(copy)} (FORMAT parquet, ${PLAIN}, ${rowGroupsOf(ROW_GROUP_BYTES)})`,
  );
}
