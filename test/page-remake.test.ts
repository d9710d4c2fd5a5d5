import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseHTML } from 'linkedom';
import { expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { temporaryFolder } from './support/project.ts';
import { rowsOf } from './support/published.ts';
import { scoreBatch, scoreBatchProcess } from './support/score-batch.ts';

// The page is a function of tables and ledger: made again, it is the same, but for what describes the run.

const REPORTS = `
  page: reports/linear-{window}.html
  parquet: reports/linear-{window}.parquet
  xlsx: reports/linear-{window}.xlsx
  csv:`;

/** Users of every week from 1997-W08 to W12, 60 each. */
const USERS = `
  select i as user_id, date '1997-02-17' + cast(7 * (i // 60) + i % 7 as integer) as signup,
    (i % 20) / 10.0 + i / 500.0 as a, (i % 13) / 10.0 as b, ['US', 'DE'][1 + i % 2] as country
  from range(300) as users(i)`;

const LATER = { SCORE_BATCH_NOW: '1997-03-31T08:00:00-05:00' };

const project = (edit = (job: string) => job) =>
  linearProject({ users: USERS, edit: (job) => edit(job.replace('  csv:', REPORTS.slice(1))) });

async function ended(folder: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await scoreBatch(folder, ['-q', ...args], LATER);
  expect(code, stderr).toBe(0);
}

/** The bytes of every report file by name. */
async function filesOf(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(path.join(folder, 'reports'))).sort();
  const files = names.map(async (name) => [name, await readFile(path.join(folder, 'reports', name), 'base64')] as const);
  return new Map(await Promise.all(files));
}

const htmlOf = (folder: string, name: string) => readFile(path.join(folder, 'reports', name), 'utf8');

/** A page without the one section that may change. */
function withoutRun(page: string): string {
  const without = page.replace(/<section id="run"[\s\S]*?<\/section>/, '');
  expect(without.length).toBeLessThan(page.length);
  return without;
}

/** The index without what says up to which entry of the ledger it goes. */
const withoutEntry = (page: string) =>
  page.replace(/(name="score-batch-entry" content=")\d+/, '$1').replace(/As of entry [\d,]+/, '');

function trendOf(page: string): string[] {
  const { document } = parseHTML(page);
  return [...(document.querySelector('#trend table')?.querySelectorAll('tbody tr') ?? [])].map(
    (row) => row.querySelector('th, td')?.textContent ?? '',
  );
}

it('is the same when it is made again, whatever was published after it', async () => {
  const folder = await project();
  for (const week of ['1997-W08', '1997-W10']) await ended(folder, '--week', week);
  const first = await filesOf(folder);
  const [page, index] = [await htmlOf(folder, 'linear-1997-W10.html'), await htmlOf(folder, 'index.html')];
  expect([...first.keys()]).toHaveLength(2 * 4 + 1);
  for (const _ of [1, 2]) {
    await ended(folder, 'report', '--week', '1997-W10');
    const again = await filesOf(folder);
    expect([...again.keys()]).toEqual([...first.keys()]);
    const changed = [...again].filter(([name, bytes]) => bytes !== first.get(name)).map(([name]) => name);
    expect(changed.filter((name) => !/^(index|linear-1997-W10)\.html$/.test(name))).toEqual([]);
    expect(withoutRun(await htmlOf(folder, 'linear-1997-W10.html'))).toBe(withoutRun(page));
    expect(withoutEntry(await htmlOf(folder, 'index.html'))).toBe(withoutEntry(index));
  }
  // A newer window is in its own page and in the index, not in the page of an older one.
  for (const week of ['1997-W11', '1997-W12']) await ended(folder, '--week', week);
  await ended(folder, 'report', '--week', '1997-W10');
  const later = await htmlOf(folder, 'linear-1997-W10.html');
  expect(withoutRun(later)).toBe(withoutRun(page));
  expect(trendOf(later)).toEqual(['1997-W10', '1997-W09', '1997-W08']);
  expect(trendOf(await htmlOf(folder, 'linear-1997-W12.html'))).toEqual([
    ...['1997-W12', '1997-W11', '1997-W10', '1997-W09', '1997-W08'],
  ]);
  const { document } = parseHTML(await htmlOf(folder, 'index.html'));
  const links = [...document.querySelectorAll('#windows a')].map((one) => one.getAttribute('href'));
  expect(links).toEqual(['W12', 'W11', 'W10', 'W08'].map((week) => `./linear-1997-${week}.html`));
}, 300_000);

it('is made for an ad hoc window, which has no trend', async () => {
  const folder = await project();
  await ended(folder, '--week', '1997-W11');
  const adHoc = ['--from', '1997-03-12', '--to', '1997-03-20'];
  await ended(folder, ...adHoc);
  const name = (await readdir(path.join(folder, 'reports'))).find((file) => /^linear-1997-03-12.*\.html$/.test(file)) ?? '';
  const page = await htmlOf(folder, name);
  const { document } = parseHTML(page);
  const [row] = await rowsOf(folder, "select count(*) as n from users where signup between '1997-03-12' and '1997-03-19'");
  const users = String(row?.n);
  expect(document.querySelector('h1')?.textContent).toContain(` of ${users} users are expected to `);
  expect(document.querySelector('.lede')?.textContent).toContain(
    `In the time from 12 to 19 March 1997 there were ${users} users`,
  );
  expect(document.querySelector('#trend')?.textContent).toContain('has no fixed length');
  expect(document.body.textContent).not.toMatch(/NaN|undefined|Infinity/);
  expect(trendOf(page)).toEqual([]);
  await ended(folder, 'report', ...adHoc);
  expect(withoutRun(await htmlOf(folder, name))).toBe(withoutRun(page));
  const index = parseHTML(await htmlOf(folder, 'index.html')).document;
  const links = [...index.querySelectorAll('#windows a')].map((one) => one.getAttribute('href'));
  expect(links).toEqual([`./${encodeURIComponent(name)}`, './linear-1997-W11.html']);
}, 300_000);

it('is not made again for a window that another one superseded', async () => {
  const folder = await project();
  const job = path.join(folder, 'jobs/job.yaml');
  const inZone = async (zone: string) =>
    await writeFile(job, (await readFile(job, 'utf8')).replace(/time_zone: .*/, `time_zone: ${zone}`));
  for (const week of ['1997-W10', '1997-W11']) await ended(folder, '--week', week);
  await inZone('Europe/Berlin');
  await ended(folder, '--week', '1997-W11', '--replace-overlapping');
  const page = await htmlOf(folder, 'linear-1997-W11.html');
  // It overlaps both weeks of the other zone.
  expect(trendOf(page)).toEqual(['1997-W11']);
  const { document } = parseHTML(await htmlOf(folder, 'index.html'));
  expect([...document.querySelectorAll('#windows a')].map((one) => one.textContent)).toEqual(['1997-W11']);
  await inZone('America/New_York');
  const refused = await scoreBatch(folder, ['report', '--week', '1997-W11'], LATER);
  expect(refused.code).toBe(65);
  expect(refused.stderr).toMatch(/error: 1997-W11 is no longer published: run \S+ superseded it/);
  expect(await htmlOf(folder, 'linear-1997-W11.html')).toBe(page);
}, 300_000);

it('loads no code of the page in a run without one', async () => {
  const loaded = async (edit: (job: string) => string): Promise<string[]> => {
    const [folder, coverage] = [await project(edit), await temporaryFolder()];
    const { code, stderr } = await scoreBatchProcess(folder, ['-q', '--week'], { NODE_V8_COVERAGE: coverage });
    expect(code, stderr).toBe(0);
    const reports = await Promise.all((await readdir(coverage)).map((name) => readFile(path.join(coverage, name), 'utf8')));
    const urls = reports.flatMap((text) => (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url));
    return [...new Set(urls)].flatMap((url) => /\/dist\/([^/]+)$/.exec(url)?.[1] ?? []);
  };
  const OF_THE_PAGE = ['cli-page.js', 'cli-pages.js', 'cli-windows-page.js'];
  expect(await loaded((job) => job)).toEqual(expect.arrayContaining(OF_THE_PAGE));
  const plain = await loaded((job) => job.replace(/ {2}page: .*\n/, ''));
  expect(plain).toContain('cli.js');
  expect(plain.filter((name) => OF_THE_PAGE.includes(name))).toEqual([]);
});
