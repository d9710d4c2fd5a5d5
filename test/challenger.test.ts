import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHALLENGER_WEIGHTS, challengerProject, writeBundle } from './support/challenger-project.ts';
import { LINEAR_QUERY, LINEAR_USERS, linearProject } from './support/linear-project.ts';
import { query, statements } from './support/project.ts';
import { scoreBatch } from './support/score-batch.ts';
import { CSV, filesIn, WAREHOUSE } from './support/steer.ts';

const RUN = ['--week', '--json'];
/** With a feature that only the challenger has. */
const USERS = LINEAR_USERS.replace('as country', 'as country, (i % 17) / 8.0 as d');
const QUERY = LINEAR_QUERY.replace('b, country', 'b, country, d');
const CHALLENGERS = "job = 'linear.challenger'";

function warehouse(folder: string, sql: string) {
  return query(path.join(folder, WAREHOUSE), sql);
}

/** States of the challenger's runs in the order of their entries, and the reason of the last failure. */
async function ofChallenger(folder: string) {
  const rows = await warehouse(
    folder,
    `select state, details->>'error' as error from marketing.score_batch_ledger where ${CHALLENGERS} order by entry_number`,
  );
  return { states: rows.map(({ state }) => state), error: rows.at(-1)?.error };
}

/** What the champion has published, without ids of runs: rows of its tables in order, and bytes of the files. */
async function published(folder: string) {
  const tables = ['scores', 'scores_quarantine', 'report', 'summary'].map((table) =>
    warehouse(folder, `select * exclude (run_id) from marketing.${table} order by all`),
  );
  const page = await readFile(path.join(folder, 'reports/linear-1997-W11.html'), 'utf8');
  return {
    tables: await Promise.all(tables),
    csv: await readFile(path.join(folder, CSV), 'utf8'),
    page: page.replaceAll(/1997-W11-[0-9a-f]{12}/g, 'RUN').replaceAll(/\d\d:\d\d(:\d\d)?|\d+\.\d( s\b|(?=[,)]))/g, 'TIME'),
  };
}

const withPage = (job: string) => job.replace('  csv:', '  page: reports/linear-{window}.html\n  csv:');

describe('a challenger', () => {
  it('scores the same rows into a table of its own, is compared, and leaves no trace in what the champion publishes', async () => {
    const alone = await linearProject({ users: USERS, query: QUERY, edit: withPage });
    const both = await challengerProject({ users: USERS, query: QUERY, edit: withPage, challenger: { second: 'd' } });
    for (const folder of [alone, both]) expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
    expect(await published(both)).toEqual(await published(alone));

    const [a, d] = CHALLENGER_WEIGHTS;
    const [row] = await warehouse(
      both,
      `select count(*) as n, count(*) filter (abs(s.propensity - 1 / (1 + exp(-(${a} * u.a + ${d} * u.d)))) > 1.5e-6) as wrong,
         count(distinct rank) as ranks, any_value(model_version) as version
       from marketing.scores_challenger s join users u using (user_id) where ${CHALLENGERS}`,
    );
    expect(row).toEqual({ n: '100', wrong: '0', ranks: '100', version: '2' });
    expect((await ofChallenger(both)).states).toEqual(['started', 'published', 'completed']);
    const [compared] = await warehouse(
      both,
      `select details->'comparison'->'measures'->'coverage'->>'both' as both, details->'comparison'->'measures'->>'largest' as keys,
         details->'comparison'->'limits'->0->>'state' as state from marketing.score_batch_ledger
       where ${CHALLENGERS} and state = 'completed'`,
    );
    // The ledger names no user. By the other feature, ranks hardly agree.
    expect(compared).toEqual({ both: '100', keys: '[]', state: 'beyond' });
    expect(await filesIn(both, `${WAREHOUSE}.scratch`)).toEqual([]);
  });

  it('is scored by shards and published by the process that publishes', async () => {
    const folder = await challengerProject();
    expect((await scoreBatch(folder, ['freeze', '--week'])).code).toBe(0);
    expect((await scoreBatch(folder, ['score', '--week', '--shard', '1/1'])).code).toBe(0);
    const before = await filesIn(folder, `${WAREHOUSE}.scratch`);
    expect(before.filter((file) => /\.challenger-\w{8}\/staged\/chunk-/.test(file))).toHaveLength(10);
    const { code, stdout, stderr } = await scoreBatch(folder, ['publish', ...RUN]);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).challenger).toMatchObject({ state: 'published', error: null });
    expect(stderr).toContain('challenger: 10 of 10 chunks are already staged');
    expect(await filesIn(folder, `${WAREHOUSE}.scratch`)).toEqual([]);
  });

  it('is published again with its champion', async () => {
    const folder = await challengerProject();
    for (const publication of [1, 2]) {
      expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
      const [row] = await warehouse(
        folder,
        `select count(*) as n, count(distinct run_id) as runs,
           (select max(publication) from marketing.score_batch_ledger where ${CHALLENGERS}) as publication
         from marketing.scores_challenger`,
      );
      expect(row).toEqual({ n: '100', runs: '1', publication: String(publication) });
    }
  });
});

describe('whatever is wrong with a challenger, its champion is published, and the ledger has the reason', () => {
  it.each<[string, (folder: string) => Promise<void>, string, RegExp]>([
    ['no bundle', (folder) => rm(path.join(folder, 'models'), { recursive: true }), 'failed', /model\.yaml does not exist/],
    [
      'a feature that the query does not have',
      (folder) => writeBundle(path.join(folder, 'models/linear-2'), { second: 'tenure' }),
      'failed',
      /the query does not provide what the model needs/,
    ],
    [
      'other scores than it says',
      (folder) => writeFile(path.join(folder, 'models/linear-2/golden.csv'), 'a,b,expected_score\n0,0,0.9\n'),
      'failed',
      /golden/,
    ],
    [
      'a version that another model has',
      (folder) => writeBundle(path.join(folder, 'models/linear-2'), { weights: [0.1, 0.1], version: '2' }),
      'failed',
      /already published with a different model as version 2/,
    ],
    [
      'a table with other columns',
      (folder) => statements(path.join(folder, WAREHOUSE), ['alter table marketing.scores_challenger rename propensity to p']),
      'failed',
      /does not have the columns/,
    ],
    [
      'rows that a gate refuses',
      async (folder) => {
        await writeBundle(path.join(folder, 'models/linear-2'), { version: '3' });
        const file = path.join(folder, 'models/linear-2/model.yaml');
        await writeFile(file, (await readFile(file, 'utf8')).replace(', nullable: true, default: 0', ''));
      },
      'refused',
      /quarantine/,
    ],
  ])('%s', async (_, spoil, state, reason) => {
    const folder = await challengerProject();
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
    await spoil(folder);
    const { code, stdout, stderr } = await scoreBatch(folder, RUN);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^warning: the challenger models\/linear-2 was not published: /m);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'published', challenger: { state: 'not published' } });
    const { states, error } = await ofChallenger(folder);
    expect(states.at(-1)).toBe(state);
    expect(error).toMatch(reason);
    const completed = "select count(*) as n from marketing.score_batch_ledger where job = 'linear' and state = 'completed'";
    expect(await warehouse(folder, completed)).toEqual([{ n: '2' }]);
    expect((await filesIn(folder, `${WAREHOUSE}.scratch`)).filter((file) => file.includes('/frozen/'))).toEqual([]);
  });
});

it('without a bundle, its champion is published and checked although the job renames a feature that only it has', async () => {
  const folder = await challengerProject({
    ...{ users: USERS, query: QUERY, challenger: { second: 'd2' } },
    edit: (job) => `${job}features: { d2: d }\n`,
  });
  expect((await scoreBatch(folder, ['check'])).code).toBe(0);
  expect(JSON.parse((await scoreBatch(folder, RUN)).stdout)).toMatchObject({ challenger: { state: 'published' } });
  await rm(path.join(folder, 'models'), { recursive: true });
  const { code, stdout, stderr } = await scoreBatch(folder, RUN);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ state: 'published', challenger: { state: 'not published' } });
  expect((await scoreBatch(folder, ['check'])).code).toBe(0);
});

describe('a challenger that joins or changes in mid-run', () => {
  const withoutChallenger = (job: string) => job.replace(/challenger:[\s\S]*$/, '');

  it.each([
    ['needs no other column', 'b', ['started', 'published', 'completed']],
    ['needs a column that is not frozen', 'd', ['failed']],
  ])('does not restart its champion, where it %s', async (_, second, states) => {
    const folder = await challengerProject({ users: USERS, query: QUERY, challenger: { second } });
    const file = path.join(folder, 'jobs/job.yaml');
    const job = await readFile(file, 'utf8');
    await writeFile(file, withoutChallenger(job));
    const { stdout } = await scoreBatch(folder, ['freeze', ...RUN]);
    await writeFile(file, job);
    const { code, stdout: done, stderr } = await scoreBatch(folder, RUN);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(done).run_id).toBe(JSON.parse(stdout).run_id);
    const found = await ofChallenger(folder);
    expect(found.states.slice(-states.length)).toEqual(states);
    if (second === 'd') expect(found.error).toContain('were frozen without d');
  });

  it('is scored anew if its bundle changes: no chunk of the one before is taken for its own', async () => {
    const folder = await challengerProject();
    await scoreBatch(folder, ['freeze', '--week']);
    await scoreBatch(folder, ['score', '--week']);
    await writeBundle(path.join(folder, 'models/linear-2'), { weights: [0.3, 0.1], version: '3' });
    const { code, stderr } = await scoreBatch(folder, ['publish', '--week']);
    expect(code, stderr).toBe(0);
    const [row] = await warehouse(
      folder,
      `select count(*) filter (abs(s.propensity - 1 / (1 + exp(-(0.3 * u.a + 0.1 * coalesce(u.b, 0))))) > 1.5e-6) as wrong
       from marketing.scores_challenger s join users u using (user_id)`,
    );
    expect(row).toEqual({ wrong: '0' });
    expect(await filesIn(folder, `${WAREHOUSE}.scratch`)).toEqual([]);
  });

  it('goes without a word if the job file does not have it any more', async () => {
    const folder = await challengerProject();
    await scoreBatch(folder, ['freeze', '--week']);
    await scoreBatch(folder, ['score', '--week']);
    const file = path.join(folder, 'jobs/job.yaml');
    await writeFile(file, withoutChallenger(await readFile(file, 'utf8')));
    await rename(path.join(folder, 'models'), path.join(folder, 'elsewhere'));
    const { code, stderr } = await scoreBatch(folder, ['publish', '--week']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('challenger') });
    expect(await filesIn(folder, `${WAREHOUSE}.scratch`)).toEqual([]);
  });
});

it.each([
  ['the model of the job', 'model: models/linear-2', 'model: ./model/', /is already the model of the job/],
  ['rows that are never frozen', 'source:\n', 'source:\n  freeze: never\n', /two models score the same rows/],
  ['a table of the job', '  promote_after', '  table: marketing.report\n  promote_after', /would be those of report\.table/],
])('a job file with %s is refused', async (_, from, to, message) => {
  const folder = await challengerProject({ edit: (job) => job.replace(from, to) });
  const { code, stderr } = await scoreBatch(folder, RUN);
  expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringMatching(message) });
});
