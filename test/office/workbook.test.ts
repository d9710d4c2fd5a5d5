import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { LINEAR_QUERY, LINEAR_USERS, linearProject } from '../support/linear-project.ts';
import { rowsOf } from '../support/published.ts';
import { scoreBatch } from '../support/score-batch.ts';

/** Comma, double quote, UTF-8, from line 1, no formats per column, English, quotes where necessary, numbers, as shown. */
const CSV_FILTER = 'csv:Text - txt - csv (StarCalc):44,34,76,1,,1033,false,true,true';

const TEXTS = [
  '=1+1',
  '=cmd|"/c calc"!a1',
  '+1',
  '<b>&amp;</b>',
  'שלום \u202Eabc',
  '💶 ünï',
  'a,b;"c"\nd',
  '_x0041_',
  '0123',
  '1997-03-10',
];

/** Opens a workbook in headless LibreOffice. @returns the text of every cell as it is shown, row by row */
async function open(workbook: string): Promise<string[][]> {
  const folder = path.dirname(workbook);
  const profile = pathToFileURL(path.join(folder, 'profile')).href;
  const args = [
    '--headless',
    '--norestore',
    `-env:UserInstallation=${profile}`,
    '--convert-to',
    CSV_FILTER,
    '--outdir',
    folder,
    workbook,
  ];
  const child = spawn('soffice', args, { stdio: 'ignore' });
  const [code] = await once(child, 'close');
  expect(code).toBe(0);
  return parse(await readFile(workbook.replace(/\.xlsx$/, '.csv')), { relax_column_count: true });
}

it('needs LibreOffice', () => {
  const { error, status } = spawnSync('soffice', ['--version']);
  expect(status, `install LibreOffice: apt-get install --no-install-recommends libreoffice-calc (${error?.message})`).toBe(0);
});

it('LibreOffice shows every cell of a workbook as it was published', async () => {
  const list = TEXTS.map((text) => `'${text}'`).join(', ');
  const types = `cast(1997 as decimal(10, 2)) + user_id as paid, date '1997-03-10' + cast(user_id % 7 as integer) as day,
    timestamptz '1997-03-10 09:00:01+00' + to_minutes(cast(user_id as bigint)) as seen, user_id % 2 = 0 as member, user_id / 8 as ratio,
    9007199254740993 + user_id as big`;
  const folder = await linearProject({
    users: LINEAR_USERS.replace("['US', 'DE', 'FR'][1 + i % 3]", `[${list}][1 + i % ${TEXTS.length}]`),
    query: LINEAR_QUERY.replace('select user_id', `select ${types}, user_id`),
    edit: (job) =>
      job
        .replace('keep: [country]', 'keep: [country, paid, day, seen, member, ratio, big]')
        .replace('  csv: reports/linear-{window}.csv', '  xlsx: reports/linear-{window}.xlsx'),
  });
  const { code, stderr } = await scoreBatch(folder, ['--week']);
  expect(code, stderr).toBe(0);
  const [header, ...rows] = await open(path.join(folder, 'reports', 'linear-1997-W11.xlsx'));
  const names = [
    'window_label',
    'user_id',
    'country',
    'paid',
    'day',
    'seen',
    'member',
    'ratio',
    'big',
    'propensity',
    'rank',
    'percentile',
    'decile',
    'band',
  ];
  expect(header).toEqual(names);
  const expected = await rowsOf(
    folder,
    `select window_label, user_id, country, paid, strftime(day, '%Y-%m-%d') as day,
       strftime(seen at time zone 'UTC', '%Y-%m-%d %H:%M:%S') as seen, upper(cast(member as varchar)) as member,
       cast(ratio as varchar) as ratio, big, propensity, rank, percentile, decile, band
     from marketing.scores order by rank`,
  );
  expect(expected).toHaveLength(100);
  expect(rows).toEqual(
    expected.map((row) => names.map((name) => String(row[name]).replace(/^(\d+)\.0$/, name === 'ratio' ? '$1' : '$&'))),
  );
});
