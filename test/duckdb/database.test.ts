import { copyFile, readdir, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, it, vi } from 'vitest';
import { openDatabase } from '../../src/duckdb/database.ts';
import { temporaryFolder } from '../support/project.ts';

it('instances that spill at the same time in one folder do not read each other’s rows', async () => {
  const temporary = await temporaryFolder();
  const spill = async (tag: string): Promise<unknown[]> => {
    await using database = await openDatabase(':memory:', { threads: 1, memory: 40_000_000, temporary });
    await database.run(
      `CREATE TEMP TABLE wide AS SELECT '${tag}' AS tag, md5(CAST(i AS VARCHAR)) AS text FROM range(2000000) t(i)`,
    );
    expect(await readdir(temporary)).not.toEqual([]);
    return (await database.rows('SELECT tag, count(*), count(DISTINCT text) FROM wide GROUP BY tag')).flat();
  };
  // A temporary table of 2 million rows takes about 100 MB, more than both may use together.
  const [one, two] = await Promise.all([spill('one'), spill('two')]);
  expect(one).toEqual(['one', 2_000_000n, 2_000_000n]);
  expect(two).toEqual(['two', 2_000_000n, 2_000_000n]);
  expect(await readdir(temporary)).toEqual([]);
});

it('spills under the inode of the file that it has locked, and under none where the file was replaced meanwhile', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'users.duckdb');
  await (await openDatabase(file, { memory: 100_000_000, temporary: folder }))[Symbol.asyncDispose]();
  await copyFile(file, `${file}.new`);
  const { ino } = await stat(file, { bigint: true });
  const spilledTo = async () => {
    await using database = await openDatabase(file, { readOnly: true, memory: 100_000_000, temporary: folder });
    const [row] = await database.rows("SELECT current_setting('temp_directory')");
    return path.basename(String(row?.[0]));
  };
  expect(await spilledTo()).toMatch(new RegExp(`^spill-of-${ino}-[0-9a-f]{8}$`));
  const create = DuckDBInstance.create.bind(DuckDBInstance);
  vi.spyOn(DuckDBInstance, 'create').mockImplementationOnce(async (...given) => {
    const instance = await create(...given);
    await rename(`${file}.new`, file);
    return instance;
  });
  expect(await spilledTo()).toMatch(/^spill-[0-9a-f]{8}$/);
});

it.each([
  ['at once', (abort: () => void) => abort()],
  ['while it runs', (abort: () => void) => setTimeout(abort, 50)],
])('a signal that comes %s ends the statement in its own reason, and lets no other begin', async (_, when) => {
  const stop = new AbortController();
  await using database = await openDatabase(':memory:', {
    memory: 100_000_000,
    temporary: await temporaryFolder(),
    signal: stop.signal,
  });
  // With values it is prepared first, and DuckDB forgets an interrupt that comes before it is begun.
  const sql = 'SELECT count(*) FROM range(10000000) a(i), range(10000000) b(i) WHERE hash(a.i + b.i) = CAST($x AS BIGINT)';
  const running = database.rows(sql, { x: '7' });
  when(() => stop.abort(new Error('enough')));
  await expect(running).rejects.toThrow('enough');
  await expect(database.rows('SELECT 1')).rejects.toThrow('enough');
});
