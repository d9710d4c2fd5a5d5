import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { type LinearOptions, linearProject } from './support/linear-project.ts';
import { readPageData } from './support/page-data.ts';
import { rowsOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';

// Odd windows, and text that is markup elsewhere, through the whole command.

interface Options extends Pick<LinearOptions, 'users' | 'query'> {
  /** Lines of `report:`. */
  readonly report?: string;
  readonly edit?: (job: string) => string;
}

const project = ({ report = '', edit = (job) => job, ...options }: Options) =>
  linearProject({
    ...options,
    edit: (job) => edit(job.replace('report:\n', `report:\n  page: reports/{window}.html\n${report}`)),
  });

/** The page of a window that this publishes. */
async function pageOf(folder: string, week = '1997-W11', ...flags: string[]) {
  const { code, stderr } = await scoreBatch(folder, ['-q', '--week', week, ...flags]);
  expect(code, stderr).toBe(0);
  const page = await readFile(path.join(folder, `reports/${week}.html`), 'utf8');
  const { document } = parseHTML(page);
  const text = (selector: string) => (document.querySelector(selector)?.textContent ?? '').replaceAll(/\s+/g, ' ');
  expect(/NaN|undefined|Infinity/.exec(text('body'))).toBeNull();
  return { page, document, text };
}

const users = (rows: number, { a = '(i % 20) / 10.0', country = "'DE'", key = 'i', day = "date '1997-03-10'" } = {}) =>
  `select ${key} as user_id, ${day} as signup, ${a} as a, 1.0 as b, ${country} as country from range(${rows}) as users(i)`;

describe('few users', () => {
  it('nobody', async () => {
    const folder = await project({ users: users(0), edit: (job) => job.replace('  min_rows: 1\n', '') });
    const { text } = await pageOf(folder, '1997-W11', '--allow-empty');
    expect(text('h1')).toBe('No users in the week of 10 to 16 March 1997');
    expect(text('#riskiest')).toContain('There is nobody to list.');
    expect(text('#left-out')).toContain('Nothing: there were no rows.');
    const index = await readFile(path.join(folder, 'reports/index.html'), 'utf8');
    expect(index).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('nobody after a week with users, and users after a week with nobody', async () => {
    const folder = await project({
      users: users(50, { day: "date '1997-03-03'" }),
      edit: (job) => job.replace('  min_rows: 1\n', ''),
    });
    await pageOf(folder, '1997-W10');
    const empty = await pageOf(folder, '1997-W11', '--allow-empty');
    expect(empty.text('#trend tbody')).toMatch(/^\s*1997-W110/);
    await pageOf(folder, '1997-W09', '--allow-empty');
    const after = await pageOf(folder, '1997-W10');
    expect(after.text('.lede')).toContain('1997-W09');
    expect(after.text('.lede')).toContain('had 0.0 of 0');
  });

  it('fewer in the first band than are listed', async () => {
    const { text } = await pageOf(await project({ users: users(50) }));
    expect(text('#brief')).toContain('The 5 users in “high”, the first of the 20 listed below.');
  });

  it('one', async () => {
    const { text } = await pageOf(await project({ users: users(1) }));
    expect(text('h1')).toMatch(/^1 user, with a chance of \d+\.\d% to leave$/);
    expect(text('#riskiest tbody')).toContain('high');
  });
});

it('says that the order means nothing where all scores are equal', async () => {
  const { text } = await pageOf(await project({ users: users(100, { a: '1.0' }) }));
  expect(text('#scores')).toContain('All scores are equal, so their ranking means nothing.');
  const { bandsExplain } = await readPageData(await project({ users: users(10) }).then(published), { week: '1997-W11' });
  expect(bandsExplain).toBeGreaterThan(0);
});

async function published(folder: string): Promise<string> {
  await pageOf(folder);
  return folder;
}

describe('a segment', () => {
  // 250 values are large in W10, and 250 others in W11.
  const MANY = `
    select i as user_id, date '1997-03-03' + cast(7 * (i % 2) as integer) as signup, (i % 20) / 10.0 as a, 1.0 as b,
      'value ' || (case when i < 20000 then i // 2 else (i % 2) * 5000 + (i // 2) % 250 end) as country
    from range(30000) as users(i)`;

  it('with 10,000 values stays small, and no value is said to be new that was there before', async () => {
    const folder = await project({ users: MANY, edit: (job) => job.replace('chunk_rows: 10', 'chunk_rows: 10000') });
    await pageOf(folder, '1997-W10');
    const { page, text } = await pageOf(folder, '1997-W11');
    expect(Buffer.byteLength(page)).toBeLessThan(300_000);
    expect(text('#bands')).toMatch(/other \([\d,]+ values\)/);
    const data = await readPageData(folder, { week: '1997-W11' });
    const rows = await rowsOf(
      folder,
      `select country, count(*) filter (window_label = '1997-W11') as now, count(*) filter (window_label = '1997-W10') as before
       from marketing.scores group by 1`,
    );
    expect(rows.length).toBeGreaterThanOrEqual(10_000);
    const known = new Map(rows.map(({ country, now, before }) => [country, { now: Number(now), before: Number(before) }]));
    const least = [...known.values()].map(({ before }) => before).sort((a, b) => b - a)[199] ?? 0;
    const named = (data.change?.values ?? []).filter(({ value }) => value.startsWith('value '));
    expect(named).toHaveLength(200);
    for (const { value, now, before } of named) expect({ now: now.users, before: before.users }).toEqual(known.get(value));
    // Some of them are among the largest of one of the weeks only.
    expect(named.some(({ before }) => before.users < least)).toBe(true);
    const all = data.change?.values ?? [];
    expect(all).toHaveLength(201);
    expect(all.reduce((sum, { now }) => sum + now.users, 0)).toBe(data.totals.users);
    expect(all.reduce((sum, { before }) => sum + before.users, 0)).toBe(data.before?.users);
    expect(all.reduce((sum, { now }) => sum + now.expected, 0)).toBeCloseTo(data.totals.expected, 4);
    expect(data.bands.filter(({ segment }) => segment === 'country')).toHaveLength(201);
  }, 300_000);

  it('without a value', async () => {
    const { text } = await pageOf(
      await project({ users: users(90, { country: "case when i % 3 = 0 then null else 'DE' end" }) }),
    );
    expect(text('#bands tbody')).toContain('(none)30');
  });
});

const HOSTILE = `<img src=x onerror=alert(1)><script>alert("x")</script>&amp;' שלום \u202eevil\u202c 🛒`;
const SQL = HOSTILE.replaceAll("'", "''");

it('shows keys, segments, description and nouns as text, whatever is in them', async () => {
  const quoted = JSON.stringify(HOSTILE);
  // The job file refuses characters of direction in nouns.
  const noun = JSON.stringify(HOSTILE.replaceAll(/[\u202e\u202c]/g, ''));
  const folder = await project({
    users: users(60, { key: `'${SQL}' || i`, country: `'${SQL}' || (i % 2)` }),
    report: `  page_keys: true\n  nouns: { one: ${noun}, many: ${noun}, outcome: ${noun} }\n`,
    edit: (job) => job.replace('name: linear\n', `name: linear\ndescription: ${quoted}\n`),
  });
  const { page, document, text } = await pageOf(folder);
  const index = await readFile(path.join(folder, 'reports/index.html'), 'utf8');
  for (const html of [page, index]) {
    const all = parseHTML(html).document;
    expect(all.querySelectorAll('img, script, [onerror]')).toHaveLength(0);
    expect(html).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    expect(all.querySelector('h1')?.closest('header')?.textContent).toContain('<img src=x onerror=alert(1)>');
  }
  const shown = HOSTILE.replace('\u202e', '\\u202e').replace('\u202c', '\\u202c');
  expect(text('#riskiest tbody')).toContain(shown);
  expect(text('#bands tbody')).toContain(`${shown}0`);
  expect(document.querySelectorAll('#riskiest tbody tr')).toHaveLength(20);
});

it('has no key anywhere unless the job allows it', async () => {
  // One key twice, and one row that cannot be scored: neither quarantine nor warnings may give a key away.
  const key = "'secret-' || case when i = 41 then 40 else i end";
  const folder = await project({
    users: users(60, { key, a: 'case when i = 7 then 1000.0 else (i % 20) / 10.0 end' }),
    report: '  page_keys: false\n',
    edit: (job) => job.replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 10%'),
  });
  const { page, text } = await pageOf(folder);
  expect(await readFile(path.join(folder, 'reports/linear-1997-W11.csv'), 'utf8')).toContain('secret-1');
  expect(page).not.toContain('secret-');
  expect(await readFile(path.join(folder, 'reports/index.html'), 'utf8')).not.toContain('secret-');
  expect(text('#left-out')).toContain('the same key occurs in several rows');
  expect(text('#riskiest')).toContain('does not allow keys on this page');
});

it('does not take a key as a segment, which would put keys on the page', async () => {
  const folder = await project({ users: users(60), edit: (job) => job.replace('segments: [country]', 'segments: [user_id]') });
  const { code, stderr } = await scoreBatch(folder, ['-q', '--week']);
  expect([code, stderr]).toEqual([78, expect.stringContaining('segments')]);
});
