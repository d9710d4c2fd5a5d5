import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseHTML } from 'linkedom';
import { expect, it } from 'vitest';
import { readListingMark } from '../src/report/listing-mark.ts';
import { linearProject } from './support/linear-project.ts';
import { rowsOf } from './support/published.ts';
import { scoreBatch, scoreBatchProcess, startScoreBatch } from './support/score-batch.ts';

// The list of windows, where runs finish at the same time or are killed between two renames.

const PRELOAD = new URL('./crash/preload.mjs', import.meta.url).href;
const WEEKS = ['1997-W09', '1997-W10', '1997-W11'];

/** Users of the weeks 1997-W09 to W11, 40 each. */
const USERS = `
  select i as user_id, date '1997-02-24' + cast(7 * (i // 40) + i % 7 as integer) as signup,
    (i % 20) / 10.0 as a, (i % 13) / 10.0 as b, 'DE' as country from range(120) as users(i)`;

const project = () =>
  linearProject({ users: USERS, edit: (job) => job.replace('  csv:', '  page: reports/{window}.html\n  csv:') });

const index = (folder: string) => path.join(folder, 'reports/index.html');

async function linksOf(folder: string): Promise<string[]> {
  const { document } = parseHTML(await readFile(index(folder), 'utf8'));
  return [...document.querySelectorAll('#windows a')].map((one) => one.getAttribute('href') ?? '');
}

const pagesOf = (weeks: readonly string[]) => weeks.toReversed().map((week) => `./${week}.html`);

/** Runs a week in a process that kills itself before or after the n-th rename of a file. */
async function killed(folder: string, week: string, file: string, phase: 'before' | 'after'): Promise<void> {
  const point = { pattern: `^rename .* to \\S*/reports/${file.replaceAll('.', '\\.')}$`, occurrence: 1, phase };
  const environment = { NODE_OPTIONS: `--import ${PRELOAD}`, CRASH_AT: JSON.stringify(point) };
  const { signal, stderr } = await startScoreBatch(folder, ['-q', '--week', week], environment).ended;
  expect(signal, stderr).toBe('SIGKILL');
}

it('is not older than any of the windows that finish at the same time, and has links to all', async () => {
  const folder = await project();
  const outcomes = await Promise.all(WEEKS.map((week) => scoreBatchProcess(folder, ['-q', '--week', week])));
  for (const { code, stderr } of outcomes) expect(code, stderr).toBe(0);
  const [row] = await rowsOf(
    folder,
    'select max(entry_number) as entry from marketing.score_batch_ledger where publication is not null',
  );
  expect((await readListingMark(index(folder)))?.entry).toBeGreaterThanOrEqual(Number(row?.entry));
  expect(await linksOf(folder)).toEqual(pagesOf(WEEKS));
  for (const week of WEEKS) expect(existsSync(path.join(folder, `reports/${week}.html`))).toBe(true);
});

it('has a link to the page of a published run that is about to put it in place', async () => {
  const folder = await project();
  await killed(folder, '1997-W10', '1997-W10.html', 'before');
  expect(existsSync(path.join(folder, 'reports/1997-W10.html'))).toBe(false);
  expect((await scoreBatch(folder, ['-q', '--week', '1997-W11'])).code).toBe(0);
  // As the run of W11 would see it if that of W10 were not dead, but slow.
  expect(await linksOf(folder)).toEqual(pagesOf(['1997-W10', '1997-W11']));
  expect((await scoreBatch(folder, ['-q', '--week', '1997-W10'])).code).toBe(0);
  expect(existsSync(path.join(folder, 'reports/1997-W10.html'))).toBe(true);
  expect(await linksOf(folder)).toEqual(pagesOf(['1997-W10', '1997-W11']));
});

it('is finished by the next run where one was killed between the page and the index', async () => {
  const folder = await project();
  await killed(folder, '1997-W10', '1997-W10.html', 'after');
  expect(existsSync(path.join(folder, 'reports/1997-W10.html'))).toBe(true);
  expect(existsSync(index(folder))).toBe(false);
  const { code, stderr, stdout } = await scoreBatch(folder, ['--week', '1997-W10', '--json']);
  expect(code, stderr).toBe(0);
  expect(await linksOf(folder)).toEqual(pagesOf(['1997-W10']));
  const runs = await rowsOf(
    folder,
    'select count(distinct run_id) as n, max(publication) as p from marketing.score_batch_ledger',
  );
  expect(runs).toEqual([{ n: '1', p: '1' }]);
  expect(JSON.parse(stdout)).toMatchObject({ window: { label: '1997-W10' } });
});
