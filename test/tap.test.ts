import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type LinearOptions, linearProject } from './support/linear-project.ts';
import { query, repository, statements } from './support/project.ts';
import { scoreBatch, scoreBatchProcess, startScoreBatch } from './support/score-batch.ts';
import { CSV, filesIn, SCRATCH, untilFiles, untilOutcomes, WAREHOUSE } from './support/steer.ts';

// Rows that are scored on their way out of a DuckDB query: in the real command line, on real files.

const RUN = ['--week', '--json', '--workers', '2'];
const SLOW = {
  NODE_OPTIONS: `--import ${pathToFileURL(repository('test/support/slow-step.mjs'))}`,
  SLOW_STEP: 'model',
  SLOW_MS: '40',
};
const SELECT = 'select user_id, a, b, country from users where signup >= :window_start_date and signup < :window_end_date';

/** Users with one score each that follows from their number. */
function users(rows: number): string {
  return `select i as user_id, date '1997-03-10' + cast(i % 7 as integer) as signup, (i % 1987) / 1000.0 as a,
    case when i % 10 = 3 then null else (i % 1300) / 1000.0 end as b, ['US', 'DE', 'FR'][1 + i % 3] as country
    from range(${rows}) as users(i)`;
}

const WRONG = `select count(*) as n, count(distinct user_id) as users,
  count(*) filter (abs(s.propensity - 1 / (1 + exp(-(0.5 * u.a - 0.25 * coalesce(u.b, 0))))) > 1.5e-6) as wrong
  from marketing.scores s join users u using (user_id)`;

function rowsOf(folder: string, sql: string) {
  return query(path.join(folder, WAREHOUSE), sql);
}

async function publish(options: LinearOptions, freeze: string) {
  const folder = await linearProject({
    ...options,
    edit: (job) => (options.edit?.(job) ?? job).replace('source:\n', `source:\n  freeze: ${freeze}\n`),
  });
  const { code, stdout, stderr } = await scoreBatch(folder, RUN);
  expect(code, stderr).toBe(0);
  return { folder, summary: JSON.parse(stdout) };
}

describe('what is published is what would be with a frozen table', () => {
  const published = async (folder: string) => ({
    scores: await rowsOf(folder, 'select * exclude (run_id, scored_at) from marketing.scores order by rank'),
    quarantine: await rowsOf(folder, 'select * exclude (run_id) from marketing.scores_quarantine order by all'),
    csv: await readFile(path.join(folder, CSV), 'utf8').catch(() => ''),
  });
  const loose = (job: string) => job.replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 100%');

  // Each value is out of the model's range, no number, or null; its text must be that of its own type.
  it.each([
    ['DOUBLE', ['1e300', '-101.5', "'nan'", "'inf'", "'-inf'", 'null', '0.1', '123456789.125']],
    ['FLOAT', ['1e30', '-100.1', "'nan'", "'-inf'", 'null', '0.1']],
    ['INTEGER', ['101', '-2147483648', 'null', '7']],
    ['BIGINT', ['9007199254740993', '-9223372036854775808', '101', '7']],
    ['HUGEINT', ['99999999999999999999999999999999999999', '9007199254740993', '101', '7']],
    ['DECIMAL(18, 4)', ['99999999999999.9999', '-100.0001', '101.5000', '0.1000']],
    ['DECIMAL(9, 2)', ['1234567.89', '-100.01', '7.50']],
    ['UBIGINT', ['18446744073709551615', '101', '7']],
  ])('with values of %s', async (type, values) => {
    const rows = values.map((value, i) => `(${i}, cast(${value} as ${type}))`).join(', ');
    const options = {
      users: `select user_id, date '1997-03-11' as signup, a, 0.5 as b, 'US' as country from (values ${rows}) as given(user_id, a)`,
      edit: loose,
    };
    const [tapped, frozen] = [await publish(options, 'never'), await publish(options, 'always')];
    expect(await published(tapped.folder)).toEqual(await published(frozen.folder));
    expect(tapped.summary.rows.quarantined).toBeGreaterThan(0);
  });

  it('with keys of two columns, one of them text, of which some are null and some repeat', async () => {
    const options = {
      users: `select case when i % 17 = 0 then null else 'k' || i % 400 end as name, i // 450 as part, date '1997-03-11' as signup,
        (i % 1987) / 1000.0 as a, 0.5 as b, ['US', 'DE', null][1 + i % 3] as country from range(800) as users(i)`,
      query: SELECT.replace('user_id', 'name, part'),
      edit: (job: string) => loose(job).replace('key: [user_id]', 'key: [name, part]'),
    };
    const [tapped, frozen] = [await publish(options, 'never'), await publish(options, 'always')];
    expect(await published(tapped.folder)).toEqual(await published(frozen.folder));
    expect(tapped.summary.quarantined.map(({ reason }: { reason: string }) => reason)).toEqual(['duplicate key', 'null key']);
  });

  it('with text features as positions among their categories', async () => {
    const yaml = await readFile(repository('test/fixtures/models/strings/model.yaml'), 'utf8');
    const options = {
      model: 'strings',
      users: `select i as user_id, date '1997-03-12' as signup, ['free', 'pro', 'gold''s', null, ''][1 + i % 5] as plan, i as logins from range(40) as users(i)`,
      query: 'select user_id, plan, logins from users where signup >= :window_start_date and signup < :window_end_date',
      edit: (job: string) => loose(job.replaceAll('country', 'logins')),
      files: { 'model/model.yaml': yaml.replace('categories: [free, pro]', 'categories: [free, pro, "gold\'s"]') },
    };
    const [tapped, frozen] = [await publish(options, 'never'), await publish(options, 'always')];
    expect(await published(tapped.folder)).toEqual(await published(frozen.folder));
    expect(tapped.summary.rows.quarantined).toBeGreaterThan(0);
  });
});

// What the optimiser could do to a function that counts what it is called with.
it.each<[string, string, number]>([
  ['a limit', `${SELECT} order by a desc, user_id limit 37`, 37],
  ['a limit without an order', `${SELECT} limit 41`, 41],
  ['distinct rows', `select distinct user_id, a, b, country from (${SELECT} union all ${SELECT})`, 100],
  [
    'a CTE that is used twice',
    `with w as (${SELECT}) select * from w where user_id < 50 union all select * from w where user_id >= 50`,
    100,
  ],
  [
    'an aggregate that takes any row',
    `select user_id, arg_max(a, signup) as a, first(b) as b, any_value(country) as country from users where signup >= :window_start_date and signup < :window_end_date group by user_id`,
    100,
  ],
  [
    'constant features',
    `select user_id, 0.5 as a, 0.25 as b, country from users where signup >= :window_start_date and signup < :window_end_date`,
    100,
  ],
  ['a filter on few rows', `${SELECT} and hash(user_id) % 10 = 0`, -1],
  ['no rows', `${SELECT} and user_id < 0`, 0],
  ['a comment at its end', `${SELECT} -- the end`, 100],
])('a query with %s', async (_, sql, rows) => {
  const folder = await linearProject({
    query: sql,
    edit: (job) => job.replace('min_rows: 1', 'min_rows: 0').replace('source:\n', 'source:\n  freeze: never\n'),
  });
  const { code, stdout, stderr } = await scoreBatch(folder, RUN);
  expect(code, stderr).toBe(0);
  const { frozen, scored } = JSON.parse(stdout).rows;
  if (rows >= 0) expect(frozen).toBe(rows);
  expect(scored).toBe(frozen);
  const [found] = await rowsOf(folder, 'select count(*) as n, count(distinct user_id) as users from marketing.scores');
  expect(found).toEqual({ n: String(frozen), users: String(frozen) });
});

it('a macro of the database cannot stand in for the function, and a table of 2,000 columns does not matter', async () => {
  const more = Array.from({ length: 1995 }, (_, i) => `${i} as column_${i}`).join(', ');
  const folder = await linearProject({
    users: `select *, ${more} from (${users(300)})`,
    query: `select * from users where signup >= :window_start_date and signup < :window_end_date`,
  });
  await statements(path.join(folder, WAREHOUSE), [
    'create macro tap(a) as 1',
    'create macro hash(a, b) as 7',
    'create macro score(a) as 0',
  ]);
  const { code, stderr } = await scoreBatch(folder, RUN);
  expect(code, stderr).toBe(0);
  expect(await rowsOf(folder, WRONG)).toEqual([{ n: '300', users: '300', wrong: '0' }]);
});

describe('a run that was killed', () => {
  const ROWS = 200_000;
  /** What a row has in the file of outcomes. */
  const OUTCOME_BYTES = 12;
  // A batch of the model has 8,192 rows; a file of rows is whole after 122,880.
  const killed = async () => {
    const folder = await linearProject({
      model: 'slow',
      users: users(ROWS),
      edit: (job) => job.replace('source:\n', 'source:\n  freeze: never\n'),
    });
    const running = startScoreBatch(folder, RUN, { ...SLOW, SLOW_MS: '200' });
    await untilOutcomes(running, folder, 100_000 * OUTCOME_BYTES);
    running.process.kill('SIGKILL');
    await running.ended;
    return folder;
  };

  it('is resumed: scores are taken again where key and features are the same, and what is published is the source as it is now', async () => {
    const folder = await killed();
    await statements(path.join(folder, WAREHOUSE), [
      'update users set a = 1.75 where user_id = 7',
      'delete from users where user_id = 8',
      `insert into users values (${ROWS}, date '1997-03-12', 0.25, 0.5, 'FR')`,
    ]);
    // Slow again, so that a model counts as one that is worth it.
    const { code, stdout, stderr } = await scoreBatchProcess(folder, ['--week', '--json', '--workers', '2', '-v'], SLOW);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/resuming run/);
    expect(Number(/([\d,]+) scores of an earlier process/.exec(stderr)?.[1]?.replaceAll(',', ''))).toBeGreaterThan(50_000);
    expect(JSON.parse(stdout).rows).toEqual({ frozen: ROWS, scored: ROWS, quarantined: 0 });
    expect(await rowsOf(folder, WRONG)).toEqual([{ n: String(ROWS), users: String(ROWS), wrong: '0' }]);
  });
});

it('nobody writes the file while it is read, and a process that keeps trying gets it afterwards', async () => {
  // More batches than the ring has room for: the query waits for the workers, with the file in its hands, and they for the writer.
  const folder = await linearProject({
    users: users(300_000),
    edit: (job) => job.replace('source:\n', 'source:\n  freeze: never\n'),
  });
  const refusedOnce = path.join(folder, 'refused');
  const running = startScoreBatch(folder, RUN, { ...SLOW, SLOW_MS: '0', SLOW_UNTIL: refusedOnce });
  await untilFiles(running, folder, /\/reading-of-\d+-[0-9a-f]{8}\.json$/);
  const writer = spawn(process.execPath, [repository('test/support/writer.mjs'), path.join(folder, WAREHOUSE), refusedOnce], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let told = '';
  writer.stdout.on('data', (data) => {
    told += String(data);
  });
  const outcome = await running.ended;
  writer.stdin.end();
  await once(writer, 'exit');
  expect(outcome.code, outcome.stderr).toBe(0);
  const { refused, written, why } = JSON.parse(told);
  expect(refused).toBeGreaterThan(0);
  expect(why).toContain('Could not set lock');
  expect(written).toBeGreaterThan(0);
  expect(await rowsOf(folder, WRONG)).toEqual([{ n: '300000', users: '300000', wrong: '0' }]);
  expect((await filesIn(folder, SCRATCH)).filter((file) => /reading-/.test(file))).toEqual([]);
});

it.each(['SIGTERM', 'SIGINT'] as const)('%s is heard while workers score, and the next run resumes', async (signal) => {
  const folder = await linearProject({
    users: users(60_000),
    edit: (job) => job.replace('source:\n', 'source:\n  freeze: never\n'),
  });
  const running = startScoreBatch(folder, RUN, { ...SLOW, SLOW_MS: '500' });
  await untilFiles(running, folder, /\/reading-of-\d+-[0-9a-f]{8}\.json$/);
  running.process.kill(signal);
  const { code, stderr } = await running.ended;
  expect(code, stderr).toBe(signal === 'SIGTERM' ? 143 : 130);
  const again = await scoreBatch(folder, RUN);
  expect(again.code, again.stderr).toBe(0);
  expect(again.stderr).toContain('resuming run');
  expect(await rowsOf(folder, WRONG)).toEqual([{ n: '60000', users: '60000', wrong: '0' }]);
});

it('a scoring worker that dies ends the run with what happened, and the same command resumes', async () => {
  const folder = await linearProject({
    users: users(60_000),
    edit: (job) => job.replace('source:\n', 'source:\n  freeze: never\n'),
  });
  const NODE_OPTIONS = `--import ${pathToFileURL(repository('test/support/dying-scorer.mjs'))}`;
  for (const [death, message] of [
    ['error', 'it fell over'],
    ['heap', 'exceeded its memory limit'],
    ['exit', 'ended with exit code 3'],
  ] as const) {
    const died = await scoreBatchProcess(folder, RUN, { NODE_OPTIONS, DYING_SCORER: death });
    expect(died.stderr).toContain(message);
    expect(died.code).not.toBe(0);
  }
  const again = await scoreBatch(folder, RUN);
  expect(again.code, again.stderr).toBe(0);
  expect(await rowsOf(folder, WRONG)).toEqual([{ n: '60000', users: '60000', wrong: '0' }]);
});

it('where rows must not be frozen and have to be, the job file is at fault', async () => {
  const yaml = await readFile(repository('test/fixtures/models/strings/model.yaml'), 'utf8');
  const folder = await linearProject({
    model: 'strings',
    users: `select i as user_id, date '1997-03-12' as signup, 'free' as plan, i as logins from range(40) as users(i)`,
    query: 'select user_id, plan, logins from users where signup >= :window_start_date and signup < :window_end_date',
    edit: (job) => job.replaceAll('country', 'logins').replace('source:\n', 'source:\n  freeze: never\n'),
    files: { 'model/model.yaml': yaml.replace('categories: [free, pro], unknown: quarantine', 'unknown: allow') },
  });
  const { code, stderr } = await scoreBatch(folder, RUN);
  expect(code).toBe(78);
  expect(stderr).toContain('source.freeze is never, but the model has a text feature that takes any value (unknown: allow)');
});
