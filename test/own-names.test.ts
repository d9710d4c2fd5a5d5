import { expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { ownNames } from './support/own-names.ts';
import { rowsOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';

const NAMES = ownNames();

it('knows names of ours in the SQL of every part', () => {
  expect(NAMES).toEqual(expect.arrayContaining(['part', 'placed', 'chunk', 'result', 'steps', 'entries', 'key_0', 'manifest']));
});

// All at once are more columns than the smallest memory holds.
const HALF = Math.ceil(NAMES.length / 2);

// Each name is a key column in one run and a kept column in another, and some feed a feature.
it.each([
  ['even names of the first half', 0, 0],
  ['odd names of the first half', 0, 1],
  ['even names of the second half', HALF, 0],
  ['odd names of the second half', HALF, 1],
])('a job whose columns are called as ours are is published with its own values: %s are its key', async (_, from, rest) => {
  const names = NAMES.slice(from, from + HALF);
  const key = names.filter((_, i) => i % 2 === rest);
  const keep = names.filter((_, i) => i % 2 !== rest);
  const [a = '', b = ''] = keep;
  const value = (name: string) =>
    name === a
      ? '(i % 20) / 10.0'
      : name === b
        ? '(i % 13) / 10.0'
        : `case when i = 7 then null else '${name} ' || least(i, 98) end`;
  const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ');
  const folder = await linearProject({
    users: `select date '1997-03-12' as signup, ${names.map((name) => `${value(name)} as "${name}"`).join(', ')} from range(100) t(i)`,
    query: `select ${quoted(names)} from users where signup >= :window_start_date and signup < :window_end_date`,
    edit: (job) =>
      job
        .replace('[user_id]', `[${quoted(key)}]`)
        .replace('keep: [country]', `keep: [${quoted(keep)}]`)
        .replace('segments: [country]', `segments: [${quoted(keep.slice(2))}]`)
        .replace('score:\n', `features: { a: "${a}", b: "${b}" }\nscore:\n`)
        .replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 5%'),
  });
  const { code, stderr } = await scoreBatch(folder, ['--week', '-q']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  // Row 7 has no key, and rows 98 and 99 have the same.
  const [published] = await rowsOf(
    folder,
    `select count(*) as rows, count(*) filter (where abs(propensity - 1 / (1 + exp(0.25 * "${b}" - 0.5 * "${a}"))) > 1e-6) as wrong
     from marketing.scores join users using (${quoted(names)})`,
  );
  expect(published).toEqual({ rows: '97', wrong: '0' });
  // More segments than fit into one statement.
  const [summary] = await rowsOf(
    folder,
    `select count(*) as segments, min(users) as fewest, max(users) as most
     from (select segment, sum(users) as users from marketing.summary group by segment)`,
  );
  expect(summary).toEqual({ segments: String(keep.length - 2 + 1), fewest: '97', most: '97' });
  const rejected = await rowsOf(
    folder,
    'select reason, count(*) as rows from marketing.scores_quarantine group by all order by all',
  );
  expect(rejected).toEqual([
    { reason: 'duplicate key', rows: '2' },
    { reason: 'null key', rows: '1' },
  ]);
});
