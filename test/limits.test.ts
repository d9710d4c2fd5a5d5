import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { LINEAR_USERS, linearProject } from './support/linear-project.ts';
import { repository, statements } from './support/project.ts';
import { ledgerStates, rowsOf, warehouseOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';

// What the machine, the warehouse or a table of it does not allow is said as such, and never called a bug.

describe('a constraint on a published table', () => {
  it.each([
    [
      'a unique index',
      'create unique index one_per_country on marketing.scores (country)',
      'UNIQUE constraint violation: duplicate key "…"',
    ],
    ['NOT NULL', 'alter table marketing.scores alter column country set not null', 'NOT NULL constraint failed'],
  ])('%s that the new rows break is named; without it the same command resumes', async (what, constraint, said) => {
    const folder = await linearProject({ edit: (job) => job.replace('chunk_rows: 10', 'chunk_rows: 100') });
    // The tables of a window without rows.
    await statements(warehouseOf(folder), ['update users set signup = signup - interval 7 day']);
    expect((await scoreBatch(folder, ['--week', '-q', '--allow-empty'])).code).toBe(0);
    await statements(warehouseOf(folder), [
      'update users set signup = signup + interval 7 day, country = case when user_id = 5 then null else country end',
      constraint,
    ]);
    const refused = await scoreBatch(folder, ['--week', '-q']);
    expect(refused.code, refused.stderr).toBe(78);
    expect(refused.stderr).toContain('has a published table with a constraint that the new rows violate');
    expect(refused.stderr).toContain(said);
    expect((await ledgerStates(folder)).at(-1)).toBe('failed');
    await statements(warehouseOf(folder), [
      what === 'NOT NULL'
        ? 'alter table marketing.scores alter column country drop not null'
        : 'drop index marketing.one_per_country',
    ]);
    const { code, stderr } = await scoreBatch(folder, ['--week']);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('100 rows of 1997-W11 are already staged');
    expect(await rowsOf(folder, 'select count(*) as rows from marketing.scores')).toEqual([{ rows: '100' }]);
  });
});

/** Behind the checksum and four magic bytes; DuckDB's checksum is what follows it, word by word times a number, combined by XOR. */
async function writeStorageVersion(database: string, version: bigint): Promise<void> {
  const file = await open(database, 'r+');
  const header = Buffer.alloc(16);
  await file.read(header, 0, 16, 0);
  const before = header.readBigUInt64LE(8);
  const after = (before & 0xffff_ffffn) | (version << 32n);
  const sum = (word: bigint) => BigInt.asUintN(64, word * 0xbf58_476d_1ce4_e5b9n);
  header.writeBigUInt64LE(header.readBigUInt64LE(0) ^ sum(before) ^ sum(after), 0);
  header.writeBigUInt64LE(after, 8);
  await file.write(header, 0, 16, 0);
  await file.close();
}

it('a damaged database is named', async () => {
  const folder = await linearProject();
  const file = await open(warehouseOf(folder), 'r+');
  await file.write(Uint8Array.of(200), 0, 1, 12);
  await file.close();
  const { code, stderr } = await scoreBatch(folder, ['--week', '-q']);
  expect({ code, stderr }).toMatchObject({ code: 78, stderr: expect.stringMatching(/^error: .*warehouse.duckdb is damaged/) });
});

it('a file where scratch is to be is named', async () => {
  const folder = await linearProject();
  await writeFile(`${warehouseOf(folder)}.scratch`, '');
  const { code, stderr } = await scoreBatch(folder, ['--week', '-q']);
  expect({ code, stderr }).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/^error: scratch must be the folder .*\.scratch/),
  });
});

it('a database of a newer DuckDB is told how to be copied into one that can be read', async () => {
  const folder = await linearProject();
  await writeStorageVersion(warehouseOf(folder), 200n);
  const { code, stderr } = await scoreBatch(folder, ['--week', '-q']);
  expect({ code, stderr }).toMatchObject({ code: 78, stderr: expect.stringContaining("(STORAGE_VERSION 'v1.5.0')") });
});

// Rows do not fit, or only what becomes of them does not.
it.for([
  ['always', '64k'],
  ['never', '16k'],
  ['never', '1m'],
  ['never', '8m'],
])('a scratch that is full says so, with freeze: %s and %s of room', async ([freeze, size], { skip }) => {
  const mount = `mount -t tmpfs -o size=${size} tmpfs`;
  const canMount = spawnSync('unshare', ['-rm', 'sh', '-c', `${mount} /mnt`]);
  skip(canMount.status !== 0, 'a full disk needs a small tmpfs, and this machine lets nobody mount one');
  const folder = await linearProject({
    users: LINEAR_USERS.replace('range(100)', 'range(400000)'),
    edit: (job) => job.replace('source:\n', `source:\n  freeze: ${freeze}\n`).replace('chunk_rows: 10', 'chunk_rows: 100000'),
  });
  const scratch = `${warehouseOf(folder)}.scratch`;
  await mkdir(scratch);
  const { status, stderr } = spawnSync(
    'unshare',
    ['-rm', 'sh', '-c', `${mount} "$0" && "$@"`, scratch, process.execPath, repository('dist', 'cli.js'), '--week', '-q'],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00' } },
  );
  expect({ status, stderr }).toMatchObject({ status: 69, stderr: expect.stringContaining('has no space left on its disk') });
  expect((await scoreBatch(folder, ['--week', '-q'])).code).toBe(0);
});

it.each(['always', 'never'])('a process that may open few files says so, with freeze: %s', async (freeze) => {
  const folder = await linearProject({ edit: (job) => job.replace('source:\n', `source:\n  freeze: ${freeze}\n`) });
  const script = `ulimit -n 24; exec "${process.execPath}" "${repository('dist', 'cli.js')}" --week -q`;
  const child = spawn('bash', ['-c', script], {
    cwd: folder,
    env: { ...process.env, SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  expect({ code, stderr }).toMatchObject({
    code: 69,
    stderr: expect.stringMatching(/reached its limit of open files[\s\S]*hint: .*ulimit -n/),
  });
});

it.each([
  ['sink:\n  table: marketing.scores', 'sink:\n  table: information_schema.scores'],
  ['sink:\n  table: marketing.scores', 'sink:\n  table: warehouse.PG_CATALOG.scores'],
  ['  table: marketing.report', '  table: information_schema.report'],
  ['  query_file:', '  scratch: Information_Schema\n  query_file:'],
])('a schema of the warehouse’s own is refused by name: %s → %s', async (from, to) => {
  const folder = await linearProject({ edit: (job) => job.replace(from, to) });
  const { code, stderr } = await scoreBatch(folder, ['plan', '--week']);
  expect({ code, stderr }).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/(information_schema|pg_catalog) is a system schema of the warehouse/i),
  });
});

describe('the name of a report file', () => {
  it('may be as long as a file system takes, though it is written under another one first', async () => {
    const name = `${'ü'.repeat(120)}-{window}.csv`.replace('{window}', '1997-W11').slice(0, 255);
    const folder = await linearProject({
      edit: (job) => job.replace('linear-{window}.csv', name.replace('1997-W11', '{window}')),
    });
    const { code, stderr } = await scoreBatch(folder, ['--week', '-q']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await readdir(path.join(folder, 'reports'))).toEqual([name]);
  });

  it('is refused before a row moves where no file system takes it', async () => {
    const folder = await linearProject({
      edit: (job) => job.replace('linear-{window}.csv', `${'x'.repeat(250)}-{window}.csv`),
    });
    const { code, stderr } = await scoreBatch(folder, ['--week', '-q']);
    expect({ code, stderr }).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('report.csv gives a name of 263 bytes'),
    });
    expect(await ledgerStates(folder)).toEqual([]);
  });
});
