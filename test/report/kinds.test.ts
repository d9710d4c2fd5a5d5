import { link, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { LINEAR_USERS, linearProject } from '../support/linear-project.ts';
import { query } from '../support/project.ts';
import { ledgerStates, rowsOf, warehouseOf } from '../support/published.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { readWorkbook } from '../support/workbook.ts';

const KINDS = ['csv', 'parquet', 'xlsx'] as const;
const nameOf = (kind: string) => `linear-1997-W11.${kind}`;
const FILES = KINDS.map(nameOf);

/** A job that writes every kind of file with a row per user. */
function project(options: Parameters<typeof linearProject>[0] = {}): Promise<string> {
  const files = `  parquet: reports/linear-{window}.parquet\n  xlsx: reports/linear-{window}.xlsx\n  csv_bom: true\n`;
  return linearProject({
    ...options,
    edit: (job) => (options?.edit ?? ((text) => text))(job.replace(/( {2}csv: .*\n)/, `$1${files}`)),
  });
}

async function contents(folder: string): Promise<Buffer[]> {
  return await Promise.all(FILES.map((name) => readFile(path.join(folder, 'reports', name))));
}

it('writes all of them with one completed entry, and the same bytes on every remake', async () => {
  const folder = await project();
  const { code, stdout, stderr } = await scoreBatch(folder, ['--week', '--json']);
  expect(code, stderr).toBe(0);
  const paths = FILES.map((name) => path.join(folder, 'reports', name));
  expect(JSON.parse(stdout).files).toEqual(paths);
  expect(await readdir(path.join(folder, 'reports'))).toEqual([...FILES].sort());
  expect(await ledgerStates(folder)).toEqual(['started', 'published', 'completed']);
  const [entry] = await rowsOf(folder, "select details from marketing.score_batch_ledger where state = 'published'");
  expect(JSON.parse(String(entry?.details)).report).toEqual(FILES.map((name) => `reports/${name}`));
  const first = await contents(folder);
  expect(first[0]?.subarray(0, 16).toString('utf8')).toBe('\uFEFFwindow_label,');
  for (const spoil of [undefined, 'spoilt']) {
    if (spoil === undefined) await rm(path.join(folder, 'reports'), { recursive: true });
    else for (const file of paths) await writeFile(file, spoil);
    const remade = await scoreBatch(folder, ['report', '--week', '--json']);
    expect(remade.code, remade.stderr).toBe(0);
    expect(JSON.parse(remade.stdout).files).toEqual(paths);
    for (const [i, bytes] of (await contents(folder)).entries())
      expect(Buffer.compare(bytes, first[i] ?? Buffer.alloc(0))).toBe(0);
  }
});

it('has the same users in every kind, and hostile text exactly', async () => {
  const texts = [
    '=cmd|"/c calc"!a1',
    '<script>alert(1)</script>',
    'שלום \u202Eabc',
    '💶 ünï',
    'a,b;"c"\nd',
    "it''s",
    '_x0041_',
    '+1',
    ' x ',
  ];
  const list = texts.map((text) => `'${text}'`).join(', ');
  const folder = await project({
    users: LINEAR_USERS.replace("['US', 'DE', 'FR'][1 + i % 3]", `[${list}][1 + i % ${texts.length}]`),
  });
  const { code, stderr } = await scoreBatch(folder, ['--week']);
  expect(code, stderr).toBe(0);
  const expected = await rowsOf(folder, 'select user_id, country, propensity, rank, band from marketing.scores order by rank');
  expect(new Set(expected.map(({ country }) => country)).size).toBe(texts.length);
  const parquet = path.join(folder, 'reports', nameOf('parquet'));
  expect(await query(':memory:', `select user_id, country, propensity, rank, band from read_parquet('${parquet}')`)).toEqual(
    expected,
  );
  const { rows } = await readWorkbook(Buffer.from(await readFile(path.join(folder, 'reports', nameOf('xlsx')))));
  expect(Object.values(rows[0] ?? {}).map(({ value }) => value)).toEqual([
    'window_label',
    'user_id',
    'country',
    'propensity',
    'rank',
    'percentile',
    'decile',
    'band',
  ]);
  expect(rows.slice(1).map(({ B, C, D, E, H }) => [B, C, D, E, H].map((cell) => cell?.value))).toEqual(
    expected.map(({ user_id, country, propensity, rank, band }) => [user_id, country, propensity, rank, band].map(String)),
  );
});

it.each(KINDS)('refuses to replace a %s file that the job did not write, unless forced', async (kind) => {
  const folder = await project();
  await mkdir(path.join(folder, 'reports'));
  const file = path.join(folder, 'reports', nameOf(kind));
  await writeFile(file, 'mine');
  const refused = await scoreBatch(folder, ['--week']);
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain(`${file} already exists, and this job did not write it`);
  expect(refused.stderr).toContain(`choose another path for report.${kind}, or replace it with --force`);
  expect(await ledgerStates(folder)).toEqual([]);
  expect(await readFile(file, 'utf8')).toBe('mine');
  expect((await scoreBatch(folder, ['--week', '--force'])).code).toBe(0);
  // Now it is the job's own file.
  expect((await scoreBatch(folder, ['report', '--week'])).code).toBe(0);
});

it.each(KINDS)('never replaces the warehouse by its %s file, even with --force', async (kind) => {
  const folder = await project();
  await mkdir(path.join(folder, 'reports'));
  await link(warehouseOf(folder), path.join(folder, 'reports', nameOf(kind)));
  const { code, stderr } = await scoreBatch(folder, ['--week', '--force']);
  expect(code).toBe(78);
  expect(stderr).toContain(`hint: choose another path for report.${kind}`);
});

it('refuses two paths that links make one file', async () => {
  const folder = await project({
    edit: (job) => job.replace('parquet: reports/linear-{window}.parquet', 'parquet: linked/linear-{window}.csv'),
  });
  await mkdir(path.join(folder, 'reports'));
  await symlink('reports', path.join(folder, 'linked'));
  const { code, stderr } = await scoreBatch(folder, ['--week', '--force']);
  expect(code).toBe(78);
  expect(stderr).toContain('would overwrite the file of report.csv');
});

it('ends with 74 if one of them cannot be put in place, and writes all of them once that is fixed', async () => {
  const folder = await project();
  const blocked = path.join(folder, 'reports', nameOf('xlsx'));
  await mkdir(path.join(blocked, 'a folder where the file should be'), { recursive: true });
  const failed = await scoreBatch(folder, ['--week', '--force']);
  expect(failed.code).toBe(74);
  expect(failed.stderr).toContain(`the report ${blocked} cannot be written`);
  expect(await ledgerStates(folder)).toEqual(['started', 'published']);
  await rm(blocked, { recursive: true });
  // The CSV file was renamed before the workbook failed; it is the job's own.
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  expect(await readdir(path.join(folder, 'reports'))).toEqual([...FILES].sort());
  expect(await ledgerStates(folder)).toEqual(['started', 'published', 'completed']);
});

it('refuses a text that no cell can hold before any file is in place', async () => {
  const folder = await project({ users: LINEAR_USERS.replace("['US', 'DE', 'FR'][1 + i % 3]", "repeat('long', 8192)") });
  const { code, stderr } = await scoreBatch(folder, ['--week']);
  expect(code).toBe(74);
  expect(stderr).toContain('cannot hold a text of more than 32,767 characters in country');
  expect(await readdir(path.join(folder, 'reports'))).toEqual([]);
});

it('checks the folder of each, and drops what killed processes left of each', async () => {
  const folder = await project({
    edit: (job) =>
      job.replace('xlsx: reports/', 'xlsx: sheets/').replace(/( {2}xlsx: .*\n)/, '$1  page: pages/{window}.html\n'),
  });
  const checked = await scoreBatch(folder, ['check']);
  expect(checked.code, checked.stderr).toBe(0);
  expect(checked.stdout).toContain(
    'reports/linear-{window}.csv, reports/linear-{window}.parquet, sheets/linear-{window}.xlsx, pages/{window}.html can be written',
  );
  const left = [
    'reports/.linear-1997-W11.csv',
    'reports/.linear-1997-W10.parquet',
    'sheets/.linear-1997-W11.xlsx',
    'pages/.1997-W11.html',
    'pages/.index.html',
  ];
  for (const name of left) {
    const file = path.join(folder, `${name}.1.1997-W11-0123456789ab.host.1-89abcdef`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, '');
    await utimes(file, new Date('1997-03-01'), new Date('1997-03-01'));
  }
  const { stdout, code } = await scoreBatch(folder, ['gc', '--apply', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).left.map(({ action }: { action: string }) => action)).toEqual(left.map(() => 'dropped'));
  expect(await readdir(path.join(folder, 'pages'))).toEqual([]);
});
