import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { rowsOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';

vi.setConfig({ testTimeout: 400_000 });

// Rows that are few and wide. What bounds memory is bytes; none of this depends on how many rows a chunk has.

/** @param country SQL of a text for row `i` */
function users(rows: number, country: string): string {
  return `select i as user_id, date '1997-03-10' + cast(i % 7 as integer) as signup,
    (i % 20) / 10.0 as a, (i % 13) / 10.0 as b, ${country} as country from range(${rows}) as users(i)`;
}

const TEXT_320 = "array_to_string([md5(cast(i * 10 + j as varchar)) for j in range(10)], '')";
const auto = (job: string) => job.replace('chunk_rows: 10', 'chunk_rows: auto').replace('  segments: [country]\n', '');

it('texts of 320 bytes in 130,000 rows are published, each with its own score', async () => {
  const folder = await linearProject({ users: users(130_000, TEXT_320), edit: auto });
  const { code, stderr } = await scoreBatch(folder, ['--week', '-q', '--max-memory', '512MiB']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  // Written in row groups of some thousand rows: one that got another's score would have one that its features do not give.
  const [found] = await rowsOf(
    folder,
    `select count(*) filter (where abs(s.propensity - 1 / (1 + exp(0.25 * u.b - 0.5 * u.a))) > 1e-6) as wrong, count(*) as rows
     from marketing.scores s join users u on s.user_id = u.user_id and s.country = u.country`,
  );
  expect(found).toEqual({ wrong: '0', rows: '130000' });
  const report = await readFile(path.join(folder, 'reports/linear-1997-W11.csv'), 'utf8');
  expect(report.split('\n')).toHaveLength(130_002);
});

it('one value of 40 MB that does not fit is refused by column and size, with a bound that works', async () => {
  const folder = await linearProject({
    users: users(100, "case i when 50 then repeat('x', 40000000) else 'DE' end"),
    edit: auto,
  });
  const refused = await scoreBatch(folder, ['--week', '-q', '--max-memory', '420MiB']);
  expect(refused.code, refused.stderr).toBe(78);
  expect(refused.stderr).toContain('the largest text is in the column country: 40 MB');
  const [, bound = ''] = /--max-memory (\S+?),/.exec(refused.stderr) ?? [];
  const published = await scoreBatch(folder, ['--week', '-q', '--max-memory', bound]);
  expect(published.stderr).toBe('');
  expect(published.code).toBe(0);
  const [longest] = await rowsOf(folder, 'select max(strlen(country)) as longest, count(*) as rows from marketing.scores');
  expect(longest).toEqual({ longest: '40000000', rows: '100' });
});
