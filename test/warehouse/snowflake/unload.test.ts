import { copyFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FrozenTable } from '../../../src/domain/frozen-table.ts';
import type { Query } from '../../../src/domain/query.ts';
import type { Column } from '../../../src/domain/schema.ts';
import { type Database, openDatabase } from '../../../src/duckdb/database.ts';
import { literal } from '../../../src/duckdb/sql.ts';
import type { TextRow } from '../../../src/warehouse/reader.ts';
import { Failure } from '../../../src/warehouse/snowflake/failure.ts';
import type { Session } from '../../../src/warehouse/snowflake/session.ts';
import type { Snowflake } from '../../../src/warehouse/snowflake/snowflake.ts';
import { parseTarget } from '../../../src/warehouse/snowflake/target.ts';
import { carried, readInto } from '../../../src/warehouse/snowflake/transfer.ts';
import { readUnloaded, unloadChunks } from '../../../src/warehouse/snowflake/unload.ts';
import { DEFAULT_TIMEOUTS } from '../../../src/warehouse/timeouts.ts';
import { temporaryFolder } from '../../support/project.ts';
import { makeDatabase, makeSubject, mayMake, openAt } from './subject.ts';

// None of this has run on a real account: the answers are those that Snowflake documents, the Parquet files are DuckDB's with the
// types that Snowflake documents for an unload.

const NEVER = new AbortController().signal;
const TABLE = '"DB"."SCRATCH"."SCORE_BATCH_FROZEN_RUN"';

const COLUMNS: readonly Column[] = [
  { name: 'ID', type: 'integer', native: 'NUMBER(18,0)' },
  { name: 'huge', type: 'decimal', native: 'NUMBER(38,0)', digits: [38, 0] },
  { name: 'small', type: 'decimal', native: 'NUMBER(38,0)', digits: [38, 0] },
  { name: 'price', type: 'decimal', native: 'NUMBER(18,4)', digits: [18, 4] },
  { name: 'ratio', type: 'float', native: 'FLOAT' },
  { name: 'flag', type: 'bool', native: 'BOOLEAN' },
  { name: 'it\'s a "text"', type: 'string', native: 'VARCHAR' },
  { name: 'day', type: 'date', native: 'DATE' },
  { name: 'wall clock', type: 'datetime', native: 'TIMESTAMP_NTZ' },
  { name: 'instant', type: 'timestamp', native: 'TIMESTAMP_LTZ' },
];

/** Rows as the row path gets them; of a double, what was printed and what was not. */
const TEXTS: readonly TextRow[] = [
  ['1', '12345678901234567890123456789012345678', '7', '12345678901234.5678', '0.3 5.551115123125783e-17', 'true'],
  ['-999999999999999999', '-1', '-128', '-0.0001', '-inf', 'false'],
  ['2', '0', '0', '0', 'NaN', 'true'],
  ['3', '1', '1', '1', '-0', 'true'],
  [null, null, null, null, null, null],
].map((row, i) => [
  ...row,
  ...([
    ['ü 漢 \u{1F600} e\u0301', '2024-02-29', '2026-11-01 01:30:00.123456', '2026-11-01 06:30:00.123456'],
    ['', '1583-01-01', '1969-12-31 23:59:59.000000', '1969-12-31 23:00:00.000000'],
  ][i] ?? [null, null, null, null]),
]);

/** The same rows as an unload writes them: numbers in the smallest type that holds the file's, text without its annotation. */
const UNLOADED = `
  select unnest([1, -999999999999999999, 2, 3, null])::decimal(18,0) as "C0",
    unnest(['12345678901234567890123456789012345678', '-1', '0', '1', null])::decimal(38,0) as "C1",
    unnest([7, -128, 0, 1, null])::tinyint as "C2",
    unnest(['12345678901234.5678', '-0.0001', '0', '1', null])::decimal(18,4) as "C3",
    unnest([0.1::double + 0.2::double, '-inf'::double, 'nan'::double, '-0'::double, null]) as "C4",
    unnest([true, false, true, true, null]) as "C5",
    unnest([encode('ü 漢 \u{1F600} e\u0301'), encode(''), null, null, null]) as "C6",
    unnest(['2024-02-29', '1583-01-01', null, null, null]) as "C7",
    unnest(['2026-11-01 01:30:00.123456', '1969-12-31 23:59:59.000000', null, null, null]) as "C8",
    unnest(['2026-11-01 06:30:00.123456', '1969-12-31 23:00:00.000000', null, null, null]) as "C9"`;

const FROZEN: FrozenTable = {
  id: 'f00d',
  runId: 'run',
  columns: COLUMNS,
  chunks: [
    { chunk: 0, rows: 5, checksum: '0' },
    { chunk: 2, rows: 3, checksum: '0' },
  ],
  rows: 8,
  divisions: 3,
  hash: 'md5',
};
const CHUNK = { frozen: FROZEN, table: TABLE, chunk: 0, rows: 5 };

/** An account that answers each statement by `answer`, or as one that has succeeded. */
function account(answer: (sql: string, count: number) => Promise<TextRow[]> | TextRow[] | undefined) {
  const sent: string[] = [];
  const session = {
    rows: async (sql: string) => {
      sent.push(sql.replaceAll(/\s+/g, ' '));
      return (await answer(sql, sent.length)) ?? [['Statement executed successfully.']];
    },
  } as Partial<Session> as Session;
  const use: Snowflake['client']['use'] = (work) => work(session);
  const snowflake: Snowflake = {
    target: parseTarget('snowflake://acct/db/public'),
    scratch: ['db', 'scratch'],
    job: 'churn',
    client: { timeouts: DEFAULT_TIMEOUTS, use, once: use, close: async () => undefined },
    memory: 1e9,
    unload: true,
    signal: NEVER,
  };
  /** What was sent, each by its first words. */
  const verbs = () => sent.map((sql) => sql.split(' ').slice(0, 2).join(' '));
  return { snowflake, sent, verbs };
}

async function inMemory(): Promise<Database> {
  const database = await openDatabase(':memory:', { memory: 1e9, threads: 1, temporary: await temporaryFolder() });
  onTestFinished(() => database[Symbol.asyncDispose]());
  return database;
}

/** GET's answer of a file that DuckDB makes. */
async function download(database: Database, sql: string, query: string): Promise<TextRow[]> {
  const [, file = '', folder = ''] = /\/([^/ ]+) 'file:\/\/([^']+)'$/.exec(sql) ?? [];
  const made = path.join(database.temporary, 'made.parquet');
  await database.run(`COPY (${query}) TO ${literal(made)} (FORMAT parquet)`);
  await copyFile(made, path.join(folder, file));
  return [[file, '1', 'DOWNLOADED', null]];
}

async function chunkOf(database: Database) {
  const types = (await database.rows('DESCRIBE chunk')).map(([name, type]) => [name, type]);
  return { types, rows: await database.rows('SELECT CAST(COLUMNS(*) AS VARCHAR) FROM chunk') };
}

it('unloads each chunk to one file whose name has the frozen table in it', async () => {
  const { snowflake, sent } = account(() => undefined);
  await unloadChunks(snowflake, FROZEN, TABLE);
  expect(sent[0]).toMatch(/^CREATE TRANSIENT TABLE IF NOT EXISTS "DB"."SCRATCH"."SCORE_BATCH_UNLOADED_RUN" /);
  expect(sent[1]).toMatch(/^CREATE STAGE IF NOT EXISTS "DB"."SCRATCH"."SCORE_BATCH_UNLOADED_RUN" COMMENT = /);
  const time = `'YYYY-MM-DD HH24:MI:SS.FF6'`;
  const list = [
    '"ID" AS "C0", "HUGE" AS "C1", "SMALL" AS "C2", "PRICE" AS "C3", "RATIO" AS "C4", "FLAG" AS "C5"',
    `"it's a ""text""" AS "C6"`,
    `TO_CHAR("DAY", 'YYYY-MM-DD') AS "C7"`,
    `TO_CHAR(CAST("wall clock" AS TIMESTAMP_NTZ), ${time}) AS "C8"`,
    `TO_CHAR(CONVERT_TIMEZONE('UTC', "INSTANT"), ${time}) AS "C9"`,
  ];
  const copy = (chunk: number, first: number, end: number) =>
    [
      `COPY INTO @"DB"."SCRATCH"."SCORE_BATCH_UNLOADED_RUN"/chunk-${chunk}-f00d.parquet FROM (SELECT ${list.join(', ')}`,
      `FROM ${TABLE} WHERE score_batch_bucket >= ${first} AND score_batch_bucket < ${end})`,
      'FILE_FORMAT = (TYPE = PARQUET COMPRESSION = SNAPPY)',
      'OVERWRITE = TRUE SINGLE = TRUE MAX_FILE_SIZE = 5368709120 HEADER = TRUE',
    ].join(' ');
  expect(sent.slice(2)).toEqual([copy(0, 0, 334), copy(2, 667, 1000)]);
  const nothing = account(() => undefined);
  await unloadChunks(nothing.snowflake, { ...FROZEN, chunks: [], rows: 0 }, TABLE);
  expect(nothing.sent).toEqual([]);
});

it('makes the table of a chunk that the row path makes', async () => {
  const database = await inMemory();
  const { snowflake, sent } = account((sql) => download(database, sql, UNLOADED));
  expect(await readUnloaded(snowflake, CHUNK, database, 'chunk')).toBe(5);
  const unloaded = await chunkOf(database);
  const session = { stream: async () => Readable.from([TEXTS]) } as Partial<Session> as Session;
  expect(await readInto(database, { relation: 'chunk', columns: COLUMNS.map(carried) }, session, { from: TABLE })).toBe(5);
  expect(unloaded).toEqual(await chunkOf(database));
  expect(unloaded.rows.map(([, , , , ratio]) => ratio)).toEqual(['0.30000000000000004', '-inf', 'nan', '-0.0', null]);
  expect(sent).toEqual([
    expect.stringMatching(/^GET @"DB"."SCRATCH"."SCORE_BATCH_UNLOADED_RUN"\/chunk-0-f00d.parquet 'file:\/\/\S+'$/),
  ]);
  // The local copy is gone.
  expect(await readdir(database.temporary)).toEqual(['made.parquet']);
});

it.each<[string, string, TextRow[] | undefined]>([
  ['is not there', '', []],
  ['has other rows', 'limit 4', undefined],
])('unloads a chunk again whose file %s', async (_, limit, first) => {
  const database = await inMemory();
  const { snowflake, verbs } = account((sql, count) => {
    if (!sql.startsWith('GET ')) return undefined;
    return count > 1 ? download(database, sql, UNLOADED) : (first ?? download(database, sql, `${UNLOADED} ${limit}`));
  });
  expect(await readUnloaded(snowflake, CHUNK, database, 'chunk')).toBe(5);
  expect(verbs().map((verb) => verb.split('@')[0])).toEqual(['GET ', 'CREATE TRANSIENT', 'CREATE STAGE', 'COPY INTO', 'GET ']);
});

it('gives the number of rows that a chunk has after it was unloaded again, and makes the stage that is gone', async () => {
  const database = await inMemory();
  const { snowflake, verbs } = account((sql, count) => {
    if (count === 1) throw new Failure('Stage does not exist or not authorized.', { code: '002003', broken: false });
    return sql.startsWith('GET ') ? download(database, sql, `${UNLOADED} limit 4`) : undefined;
  });
  expect(await readUnloaded(snowflake, CHUNK, database, 'chunk')).toBe(4);
  expect(verbs()).toContain('CREATE STAGE');
});

it.each<[string, TextRow, string]>([
  ['could not download', ['chunk', '-1', 'ERROR', 'signed address'], 'run the same command again'],
  ['could not download', ['chunk', '-1', null, 'Error: ENOSPC: no space left on device, write file=chunk'], 'free some space'],
])('says that a file %s', async (what, row, hint) => {
  const database = await inMemory();
  const { snowflake } = account((sql) => (sql.startsWith('GET ') ? [row] : undefined));
  const error: unknown = await readUnloaded(snowflake, CHUNK, database, 'chunk').catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining(what),
    hint: expect.stringContaining(hint),
  });
  expect(inspect(error)).not.toContain('signed address');
  expect(await readdir(database.temporary)).toEqual([]);
});

it('says that a chunk is too large for a file', async () => {
  const message = 'Max file size (5368709120) exceeded for unload single file mode. Please increase max file size.';
  const { snowflake, sent } = account((sql) => {
    if (sql.startsWith('COPY ')) throw new Failure(message, { code: '100030', broken: false });
    return undefined;
  });
  const many = Array.from({ length: 100 }, (_, chunk) => ({ chunk, rows: 1, checksum: '0' }));
  await expect(unloadChunks(snowflake, { ...FROZEN, chunks: many, divisions: 100 }, TABLE)).rejects.toMatchObject({
    kind: 'configuration',
    hint: expect.stringContaining('score.chunk_rows'),
  });
  // Those that were under way end, and no other begins.
  expect(sent.filter((sql) => sql.startsWith('COPY ')).length).toBeLessThanOrEqual(4);
});

describe.skipIf(!mayMake())('on Snowflake', () => {
  it('gives the chunks that the row path gives, and leaves nothing', async () => {
    const { kinds } = await makeSubject();
    const { url, client } = await makeDatabase();
    const files = () => client.use((session) => session.rows('LIST @scratch.score_batch_unloaded_run'));
    const rows = openAt(url);
    const unloading = openAt(url, { unload: true });
    const select = (row: 0 | 1) =>
      `select ${row} as id, ${kinds.map(({ column, expressions }) => `${expressions[row]} as ${column.name}`).join(', ')}`;
    const query: Query = { name: 'query', texts: [`${select(0)} union all ${select(1)}`], parameters: [] };
    const columns = await unloading.source.describe(query);
    const key = columns.slice(0, 1);
    const frozen = await unloading.source.freeze(query, { runId: 'run', key, columns, hash: 'md5', chunkRows: 1 });
    expect(await files()).toHaveLength(frozen.chunks.length);
    const database = await inMemory();
    for (const { chunk } of frozen.chunks) {
      await rows.source.loadChunk(frozen, chunk, database);
      const expected = await chunkOf(database);
      await unloading.source.loadChunk(frozen, chunk, database);
      expect(await chunkOf(database)).toEqual(expected);
    }
    // A process that finds nothing in the stage unloads what it needs.
    await client.use((session) => session.rows('DROP STAGE scratch.score_batch_unloaded_run'));
    await unloading.source.loadChunk(frozen, frozen.chunks[0]?.chunk ?? 0, database);
    expect(await files()).toHaveLength(1);
    expect((await unloading.source.listArtifacts()).map(({ name, run }) => [name.includes('UNLOADED'), run])).toContainEqual([
      true,
      'run',
    ]);
    await unloading.source.dropFrozen('run');
    expect(await unloading.source.listArtifacts()).toEqual([]);
    await expect(files()).rejects.toMatchObject({ code: '002003' });
    await rows.close();
    await unloading.close();
  });

  it('is tried by the probe where it is asked for, and only there', async () => {
    const { url, client } = await makeDatabase();
    await client.use((session) => session.rows('create schema scratch'));
    for (const unload of [false, true]) {
      const warehouse = openAt(url, { unload });
      expect((await warehouse.source.probe()).includes('chunks can be unloaded')).toBe(unload);
      expect(await warehouse.source.listArtifacts()).toEqual([]);
      await warehouse.close();
    }
  });
});
