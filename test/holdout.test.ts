import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { evaluate, labelledProject, publishWeek } from './support/labelled-project.ts';
import { type LinearOptions, linearProject } from './support/linear-project.ts';
import { rowsOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';

// The share of users that nobody should contact.

const USERS = `select i as user_id, date '1997-03-12' as signup, (i % 20) / 10.0 as a, (i % 13) / 10.0 as b,
  ['US', 'DE', 'FR'][1 + i % 3] as country from range(2000) as users(i)`;
/** The same users in every window, in which `a` differs. */
const EVERY_WEEK = `select user_id, (a + dayofyear(:window_start_date)) % 5 as a, b, country from users where :window_start_date < :window_end_date`;

const held = (share: string) => (job: string) => job.replace('report:\n', `report:\n  holdout: ${share}\n`);

async function heldOut(folder: string, table = 'report'): Promise<Record<string, string[]>> {
  const rows = await rowsOf(folder, `select window_label, user_id from marketing.${table} where holdout order by user_id`);
  return Object.fromEntries(
    [...new Set(rows.map((row) => String(row.window_label)))].map((label) => [
      label,
      rows.filter((row) => row.window_label === label).map(({ user_id }) => String(user_id)),
    ]),
  );
}

async function publish(options: LinearOptions, ...weeks: string[]): Promise<string> {
  const folder = await linearProject({ users: USERS, query: EVERY_WEEK, ...options });
  for (const week of weeks) {
    const { code, stderr } = await scoreBatch(folder, ['-q', '--week', week]);
    expect(code, stderr).toBe(0);
  }
  return folder;
}

it('is the same users in every window, about the share, whatever their scores', async () => {
  const folder = await publish({ edit: held('20%') }, '1997-W10', '1997-W11');
  const { '1997-W10': before = [], '1997-W11': now = [] } = await heldOut(folder);
  expect(before).toEqual(now);
  expect(await heldOut(folder, 'scores')).toEqual({ '1997-W10': now, '1997-W11': now });
  // 400 expected, standard deviation 18.
  expect(now.length).toBeGreaterThan(330);
  expect(now.length).toBeLessThan(470);
  const [scores] = await rowsOf(folder, 'select count(distinct propensity) as n from marketing.scores where user_id = 7');
  expect(scores?.n).toBe('2');
  // A band has at least 200 users, so that five standard deviations are 0.14.
  const bands = await rowsOf(folder, 'select band, avg(holdout::integer) as share from marketing.report group by band');
  for (const { band, share } of bands) expect(Math.abs(Number(share) - 0.2), String(band)).toBeLessThan(0.15);
  const lines = parse(await readFile(path.join(folder, 'reports/linear-1997-W11.csv'), 'utf8'), { columns: true }) as Record<
    string,
    string
  >[];
  expect(Object.keys(lines[0] ?? {}).at(-1)).toBe('holdout');
  expect(new Set(lines.map(({ holdout }) => holdout))).toEqual(new Set(['true', 'false']));
  expect(
    lines
      .filter(({ holdout }) => holdout === 'true')
      .map(({ user_id }) => Number(user_id))
      .sort((a, b) => a - b)
      .map(String),
  ).toEqual(now);
});

it('grows with the share without a user leaving it, and does not depend on chunks or freezing', async () => {
  const { '1997-W11': few = [] } = await heldOut(await publish({ edit: held('5%') }, '1997-W11'));
  const edit = (job: string) =>
    held('20%')(job).replace('source:\n', 'source:\n  freeze: always\n').replace('chunk_rows: 10', 'chunk_rows: 500');
  const { '1997-W11': more = [] } = await heldOut(await publish({ edit }, '1997-W11'));
  expect(few.length).toBeGreaterThan(60);
  expect(more).toEqual(expect.arrayContaining(few));
  const { '1997-W11': tapped = [] } = await heldOut(await publish({ edit: held('20%') }, '1997-W11'));
  expect(tapped).toEqual(more);
});

it('goes together with labels that say who was contacted', async () => {
  const folder = await labelledProject({ edit: held('30%') });
  await publishWeek(folder);
  const { code, stderr } = await evaluate(folder);
  expect(code, stderr).toBe(0);
  const groups = await rowsOf(
    folder,
    "select contact_group, users from marketing.scores_evaluation where part = 'overall' and segment = 'all' order by 1",
  );
  expect(groups).toEqual([
    { contact_group: 'all', users: '100' },
    { contact_group: 'treated', users: '34' },
    { contact_group: 'untreated', users: '66' },
  ]);
});
