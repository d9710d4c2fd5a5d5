import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { once } from '../support/kept.ts';
import { linearProject } from '../support/linear-project.ts';
import { publishedTables } from '../support/published.ts';
import { scoreBatch } from '../support/score-batch.ts';

const CSV = 'reports/linear-1997-W11.csv';

const usualCsv = once(async () => {
  const folder = await linearProject();
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  return await readFile(path.join(folder, CSV), 'utf8');
});

describe('the report has the same bytes', () => {
  it.each<[title: string, score: string, flags: string[]]>([
    ['with batches of one row', 'batch_rows: 1', []],
    ['with a last batch of one row', 'chunk_rows: 100\n  batch_rows: 33', []],
    ['with batches that are larger than the window', 'batch_rows: 1000000', []],
    ['with the size of everything left to us', 'chunk_rows: auto\n  batch_rows: auto', []],
    ['with more workers than processors and chunks', 'chunk_rows: 10', ['--workers', '40']],
    ['within little memory', 'chunk_rows: 10', ['--max-memory', '420MiB']],
    ["within the job's memory", 'chunk_rows: 10\n  max_memory: 420MiB', []],
  ])('%s', async (_, score, flags) => {
    const other = await linearProject({ edit: (job) => job.replace('chunk_rows: 10', score) });
    const { code, stderr } = await scoreBatch(other, ['--week', ...flags]);
    expect(code, stderr).toBe(0);
    expect(await readFile(path.join(other, CSV), 'utf8')).toBe(await usualCsv());
  });
});

it('more workers than processors are said to be no faster, fewer for lack of memory are counted', async () => {
  const many = await scoreBatch(await linearProject(), ['--week', '--workers', '200', '--max-memory', '20GB']);
  expect(many.stderr).toMatch(/^(200 workers on \d+ processors? will not be faster than \d+|.* of 200 workers: more .*)$/m);
  const bound = await scoreBatch(await linearProject(), ['--week', '--workers', '4', '--max-memory', '450MiB']);
  expect(bound.code, bound.stderr).toBe(0);
  expect(bound.stderr).toMatch(/^using [123] of 4 workers: more would not fit into .* of memory$/m);
});

it.each<[title: string, flags: string[], environment: NodeJS.ProcessEnv, edit: [string, string], code: number, said: RegExp]>([
  ['no workers', ['--workers', '0'], {}, ['', ''], 64, /It must be a positive integer/],
  ['fewer than none', ['--workers', '-3'], {}, ['', ''], 64, /It must be a positive integer/],
  ['more than anybody has', ['--workers', '1000000'], {}, ['', ''], 64, /It must be at most 256/],
  ['half a worker in the job', [], {}, ['chunk_rows: 10', 'workers: 0.5'], 78, /auto or a whole number from 1 to 256/],
  ['a memory without a unit', ['--max-memory', '512'], {}, ['', ''], 64, /It must be a size such as 512MiB or 2GB/],
  [
    'a memory in no unit',
    [],
    { SCORE_BATCH_MEMORY: 'much' },
    ['', ''],
    64,
    /SCORE_BATCH_MEMORY=much is not a valid memory size/,
  ],
  [
    'too little memory',
    ['--max-memory', '64MiB'],
    {},
    ['', ''],
    64,
    /bound of 64 MiB is too small: this job needs at least \d{3} MiB/,
  ],
  ['too little in the job', [], {}, ['chunk_rows: 10', 'max_memory: 64MiB'], 78, /score.max_memory of 64 MiB is too small/],
  ['a batch of no rows', [], {}, ['chunk_rows: 10', 'batch_rows: 0'], 78, /score.batch_rows: must be at least 1/],
])('%s: refused before a row moves', async (_, flags, environment, [from, to], code, said) => {
  const folder = await linearProject({ edit: (job) => job.replace(from, to) });
  const outcome = await scoreBatch(folder, ['--week', ...flags], environment);
  expect(outcome.stderr).toMatch(said);
  expect(outcome.code).toBe(code);
  expect(await publishedTables(folder)).toEqual([]);
});

it('the least memory that a refusal names is enough', async () => {
  const folder = await linearProject();
  const { stderr } = await scoreBatch(folder, ['--week', '--max-memory', '1MiB']);
  const [, least = ''] = /needs at least (\d+) MiB/.exec(stderr) ?? [];
  const outcome = await scoreBatch(folder, ['--week', '--max-memory', `${least}MiB`]);
  expect(outcome.code, outcome.stderr).toBe(0);
});

it('a run is resumed with less memory, with the chunks as they were cut', async () => {
  const folder = await linearProject({ edit: (job) => job.replace('chunk_rows: 10', 'chunk_rows: auto') });
  expect((await scoreBatch(folder, ['freeze', '--week', '--max-memory', '4GB'])).code).toBe(0);
  const { code, stdout, stderr } = await scoreBatch(folder, ['--week', '--json', '--max-memory', '412MiB']);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('resuming run');
  expect(JSON.parse(stdout)).toMatchObject({ rows: { frozen: 100, scored: 100 } });
});
