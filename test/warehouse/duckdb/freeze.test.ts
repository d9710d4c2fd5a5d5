import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { openDatabase } from '../../../src/duckdb/database.ts';
import { openDuckdb } from '../../../src/warehouse/duckdb/open.ts';
import type { FreezeOptions, Warehouse } from '../../../src/warehouse/warehouse.ts';
import { statements, temporaryFolder } from '../../support/project.ts';

const MEMORY = 500_000_000;
const QUERY = { name: 'query', texts: ['select user_id, a from users'], parameters: [] };

async function withUsers(
  rows: number,
  memory = MEMORY,
): Promise<{ root: string; warehouse: Warehouse; options: FreezeOptions }> {
  const root = await temporaryFolder();
  await statements(path.join(root, 'w.duckdb'), [
    `create table users as select i as user_id, i % 7 as a from range(${rows}) t(i)`,
  ]);
  const warehouse = await openDuckdb({
    ...{ url: 'duckdb:w.duckdb', job: 'job', root, scratch: 'scratch', memory, maxBytes: undefined },
    ...{ environment: {}, warn: () => undefined, signal: new AbortController().signal },
  });
  const columns = await warehouse.source.describe(QUERY);
  return { root, warehouse, options: { runId: 'run', key: columns.slice(0, 1), columns, chunkRows: 250_000, hash: 'native' } };
}

it('puts every row of a window of several files into one chunk', async () => {
  const ROWS = 4_500_000;
  const { warehouse, options } = await withUsers(ROWS);
  const frozen = await warehouse.source.freeze(QUERY, options);
  expect(new Set(frozen.pieces?.map(({ file }) => file)).size).toBeGreaterThan(1);
  expect(frozen.chunks.every(({ rows }) => rows > 0 && rows <= options.chunkRows)).toBe(true);
  await using database = await openDatabase(':memory:', { threads: 1, memory: MEMORY, temporary: await temporaryFolder() });
  await database.run('CREATE TABLE seen (user_id BIGINT)');
  for (const { chunk, rows } of frozen.chunks) {
    await warehouse.source.loadChunk(frozen, chunk, database);
    await database.run('INSERT INTO seen SELECT user_id FROM chunk');
    expect(await database.rows('SELECT count(*) FROM chunk')).toEqual([[BigInt(rows)]]);
  }
  const counted = await database.rows('SELECT count(*), count(DISTINCT user_id), max(user_id) FROM seen');
  expect(counted[0]?.map(Number)).toEqual([ROWS, ROWS, ROWS - 1]);
});

it('finds keys that repeat in as many passes as its memory needs', async () => {
  const { root, warehouse, options } = await withUsers(5_000_000, 55_000_000);
  await statements(path.join(root, 'w.duckdb'), ['insert into users select user_id, a from users where user_id % 1000000 = 7']);
  const frozen = await warehouse.source.freeze(QUERY, options);
  expect(frozen.duplicates).toBe(5);
  expect(await readdir(path.join(root, 'w.duckdb.scratch', 'run', 'frozen', 'repeated'))).toHaveLength(2);
});

it('is not resumed if keys hash differently than before', async () => {
  const { root, warehouse, options } = await withUsers(10);
  const frozen = await warehouse.source.freeze(QUERY, options);
  expect(await warehouse.source.frozen('run')).toEqual(frozen);
  const manifest = path.join(root, 'w.duckdb.scratch', 'run', 'frozen', 'frozen.json');
  const { probe, ...rest } = JSON.parse(await readFile(manifest, 'utf8'));
  expect(probe).toMatch(/^\d+$/);
  await writeFile(manifest, JSON.stringify({ ...rest, probe: `1${probe}` }));
  expect(await warehouse.source.frozen('run')).toBeUndefined();
});
