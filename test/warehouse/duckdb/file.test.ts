import path from 'node:path';
import { expect, it } from 'vitest';
import type { Database } from '../../../src/duckdb/database.ts';
import { type DuckdbFile, readTogether, withFile } from '../../../src/warehouse/duckdb/file.ts';
import { temporaryFolder } from '../../support/project.ts';

async function newFile(): Promise<DuckdbFile> {
  const folder = await temporaryFolder();
  return {
    path: path.join(folder, 'shop.duckdb'),
    scratch: path.join(folder, 'shop.duckdb.scratch'),
    job: 'test',
    memory: 200e6,
    signal: new AbortController().signal,
  };
}

/** What is set in a connection is there for later reads on the same connection. */
const mark = (database: Database) => database.run('SET VARIABLE mark = 1');
const isMarked = async (database: Database) => (await database.rows("SELECT getvariable('mark')"))[0]?.[0] === 1;

it('questions that read together have one opening, from whichever warehouse of the file they come', async () => {
  const file = await newFile();
  await withFile(file, 'write', (database) => database.run('CREATE TABLE orders AS SELECT 1 AS id'));
  {
    await using _source = readTogether(file);
    {
      await using _sink = readTogether({ ...file });
      await withFile(file, 'read', mark);
      expect(await withFile({ ...file }, 'read', isMarked)).toBe(true);
    }
    expect(await withFile(file, 'read', isMarked)).toBe(true);
  }
  expect(await withFile(file, 'read', isMarked)).toBe(false);
});

it('a write finds the file closed, and what reads after it sees it', async () => {
  const file = await newFile();
  await using _reading = readTogether(file);
  await expect(withFile(file, 'read', mark)).rejects.toThrow('does not exist');
  await withFile(file, 'write', (database) => database.run('CREATE TABLE orders AS SELECT 1 AS id'));
  await withFile(file, 'read', mark);
  await withFile(file, 'write', (database) => database.run('INSERT INTO orders VALUES (2)'));
  expect(await withFile(file, 'read', isMarked)).toBe(false);
  expect(await withFile(file, 'read', (database) => database.rows('SELECT count(*)::INTEGER FROM orders'))).toEqual([[2]]);
});

it('who comes while the last reader leaves shares its opening, which is closed with the last of them', async () => {
  const file = await newFile();
  await withFile(file, 'write', (database) => database.run('CREATE TABLE orders AS SELECT 1 AS id'));
  const first = readTogether(file);
  await withFile(file, 'read', mark);
  const leaving = first[Symbol.asyncDispose]();
  {
    await using _second = readTogether(file);
    await leaving;
    expect(await withFile(file, 'read', isMarked)).toBe(true);
  }
  expect(await withFile(file, 'read', isMarked)).toBe(false);
});
