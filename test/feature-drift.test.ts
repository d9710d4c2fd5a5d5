import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { repository, statements } from './support/project.ts';
import { publishedRows, publishedTables, rowsOf, warehouseOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';
import { slowDrift } from './support/slow-drift.ts';
import { transcript } from './support/transcript.ts';

// The drift of features in whole runs on DuckDB: the table, the gates, the ledger and the summary.

const WEEK = ['--week'];
const PLANS = { free: 0.5, "p'ro": 0.25, '😀': 0.125 };
const REFERENCES = {
  plan: { categories: PLANS, other: 0.125, nulls: 0.125 },
  logins: { edges: [4.5, 40], shares: [0.25, 0.5, 0.25], nulls: 0 },
};

interface Options {
  /** Gates, as lines of the job file. */
  readonly gates?: string;
  readonly freeze?: 'always' | 'never';
  readonly table?: boolean;
  readonly references?: unknown;
  /** Expression of a plan by `i`. */
  readonly plan?: string;
  readonly rows?: number;
}

/** The strings model over users with plans that may be null, and logins that count up. */
async function project(options: Options = {}): Promise<string> {
  const { gates = '', freeze = 'never', table = true, references = REFERENCES, rows = 40 } = options;
  const { plan = `['free', 'p''ro', '😀', 'free', null, 'gold', 'free', '😀'][1 + i % 8]` } = options;
  const yaml = await readFile(repository('test/fixtures/models/strings/model.yaml'), 'utf8');
  return await linearProject({
    model: 'strings',
    users: `select i as user_id, date '1997-03-12' as signup, ${plan}::varchar as subscription, i as logins from range(${rows}) as users(i)`,
    query: `select user_id, subscription, logins from users where signup >= :window_start_date and signup < :window_end_date`,
    edit: (job) =>
      job
        .replaceAll('country', 'logins')
        .replace('max_quarantine_rate: 1%', `max_quarantine_rate: 100%\n${gates}`)
        .replace('source:\n', `source:\n  freeze: ${freeze}\n`)
        .replace('report:\n', table ? 'report:\n  drift_table: marketing.drift\n' : 'report:\n')
        .replace('sink:\n', 'features: { plan: subscription }\nsink:\n'),
    files: {
      'model/model.yaml': yaml
        .replace(
          'categories: [free, pro], unknown: quarantine',
          'categories: [free, pro], unknown: default, nullable: true, default: free',
        )
        .replace(/ {2}features: .*/, references === undefined ? '' : `  features: ${JSON.stringify(references)}`),
    },
  });
}

/** Without it, a window in which most texts are unknown is refused. */
const KNOWN = `['free', 'pro', 'free', 'pro', 'free', 'gold', null, 'free'][1 + i % 8]`;

async function published(folder: string): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await scoreBatch(folder, [...WEEK, '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const DRIFT = 'select feature, psi, null_share, reference_null_share, row_count from marketing.drift order by psi desc';

async function recorded(folder: string): Promise<{ state: string; drift: Record<string, unknown> | null }[]> {
  const rows = await rowsOf(
    folder,
    `select state, details->>'feature_drift' as drift from marketing.score_batch_ledger order by rowid`,
  );
  return rows.map(({ state, drift }) => ({ state: String(state), drift: drift === null ? null : JSON.parse(String(drift)) }));
}

describe('a run whose job names a drift table', () => {
  it('writes a row per feature, the same with and without a frozen table, and records it', async () => {
    const summaries: unknown[] = [];
    for (const freeze of ['never', 'always'] as const) {
      const folder = await project({ freeze, plan: `['free', 'free', '😀', 'free', null, 'gold', 'free', 'pro'][1 + i % 8]` });
      const summary = await published(folder);
      summaries.push([summary.feature_drift, await publishedRows(folder)]);
      expect(summary.tables).toContain('marketing.drift');
      const users = await rowsOf(folder, 'select subscription, logins from users');
      const plans = users.map(({ subscription }) => subscription as string | null);
      const logins = users.map((user) => Number(user.logins));
      const rows = await rowsOf(folder, DRIFT);
      expect(rows).toMatchObject([
        { feature: 'logins', null_share: '0.000000', reference_null_share: '0.000000', row_count: '40' },
        { feature: 'plan', null_share: '0.125000', reference_null_share: '0.125000', row_count: '40' },
      ]);
      expect(Number(rows[0]?.psi)).toBeCloseTo(slowDrift(logins, REFERENCES.logins).psi, 5);
      expect(Number(rows[1]?.psi)).toBeCloseTo(slowDrift(plans, REFERENCES.plan).psi, 5);
      expect(summary.feature_drift).toEqual(
        rows.map(({ feature, psi, null_share, reference_null_share }) => ({
          feature,
          psi: Number(psi),
          null_share: Number(null_share),
          reference_null_share: Number(reference_null_share),
        })),
      );
      const ledger = await recorded(folder);
      expect(ledger.find(({ state }) => state === 'published')?.drift).toMatchObject({
        rows: 40,
        measured: 2,
        features: [
          { feature: 'logins' },
          {
            feature: 'plan',
            bins: [
              { name: 'free', now: 0.5, reference: 0.4375 },
              { name: "p'ro", now: 0, reference: 0.21875 },
              { name: '😀', now: 0.125, reference: 0.109375 },
              { name: '(other)', now: 0.25, reference: 0.109375 },
              { name: '(null)', now: 0.125, reference: 0.125 },
            ],
          },
        ],
      });
    }
    expect(summaries[0]).toEqual(summaries[1]);
  });

  it('shows the worst in the summary, and what is read in the plan', async () => {
    const folder = await project({ plan: KNOWN });
    const plan = await scoreBatch(folder, ['plan', ...WEEK]);
    expect(plan.stdout).toContain(
      '\n  drift     of subscription, logins: read by running the query again, by 1 statement that returns only counts\n',
    );
    expect(plan.stdout).toContain('marketing.drift, ');
    const { stderr, stdout } = await scoreBatch(folder, WEEK);
    expect(`${stderr}${stdout}`).toMatch(/^ {2}drift {7}PSI \d+\.\d{3} of plan, nulls 12\.5 % \(12\.5 % in the reference\)$/m);
    const frozen = await project({ freeze: 'always', references: { logins: REFERENCES.logins } });
    const { drift } = JSON.parse((await scoreBatch(frozen, ['plan', ...WEEK, '--json'])).stdout);
    expect(drift).toEqual({
      features: ['logins'],
      columns: ['logins'],
      without_reference: ['plan'],
      statements: 1,
      reads: 'frozen rows',
    });
  });

  it('replaces the rows with the window, and an audit finds what was deleted', async () => {
    const folder = await project({ plan: KNOWN });
    await published(folder);
    await statements(warehouseOf(folder), ['delete from marketing.drift', 'update users set logins = 3']);
    const status = await scoreBatch(folder, ['status']);
    expect(status.stdout).toContain('marketing.drift holds 0 of its 2 rows');
    await published(folder);
    const rows = await rowsOf(folder, DRIFT);
    expect(rows).toHaveLength(2);
    expect(rows).toContainEqual(expect.objectContaining({ feature: 'logins', row_count: '40' }));
    await statements(warehouseOf(folder), ['delete from users']);
    const { code } = await scoreBatch(folder, ['run', ...WEEK, '--allow-empty', '--fresh']);
    expect(code).toBe(0);
    expect(await rowsOf(folder, DRIFT)).toEqual([]);
  });

  it('deletes the rows of overlapping windows that a run supersedes', async () => {
    const folder = await project({ plan: KNOWN });
    await published(folder);
    const job = path.join(folder, 'jobs/job.yaml');
    await writeFile(job, (await readFile(job, 'utf8')).replace('America/New_York', 'Europe/Berlin'));
    const { code } = await scoreBatch(folder, ['run', ...WEEK, '--replace-overlapping']);
    expect(code).toBe(0);
    const starts = await rowsOf(folder, 'select window_start::varchar as start, count(*) as n from marketing.drift group by 1');
    expect(starts).toEqual([{ start: '1997-03-09 23:00:00+00', n: '2' }]);
  });

  it.each([
    ['one row', { rows: 1, plan: `'free'` }, ['0', '0'], '1'],
    ['nothing but nulls', { plan: 'null' }, ['0', '1'], '40'],
  ])('measures a window of %s', async (_, options, nullShares, rows) => {
    const folder = await project(options);
    await published(folder);
    const found = await rowsOf(folder, 'select null_share, row_count, psi from marketing.drift order by null_share');
    expect(found.map(({ null_share }) => String(Number(null_share)))).toEqual(nullShares);
    expect(found.map(({ row_count }) => row_count)).toEqual([rows, rows]);
    for (const { psi } of found) expect(Number(psi)).toBeGreaterThan(0);
  });

  it('writes none for a window that is not of the job’s length', async () => {
    const folder = await project({ plan: KNOWN });
    const { code } = await scoreBatch(folder, ['run', '--from', '1997-03-12', '--to', '1997-03-13']);
    expect(code).toBe(0);
    expect(await publishedTables(folder)).not.toContain('marketing.drift');
    expect((await recorded(folder)).every(({ drift }) => drift === null)).toBe(true);
  });
});

describe('a gate on features', () => {
  const few = '  psi_min_rows: 40\n';

  it('refuses with feature, value and limit, leaves nothing published, and records what it measured', async () => {
    const gates = `${few}  max_feature_psi: 0.2\n  max_null_share: { plan: 10% }\n`;
    const folder = await project({ gates, table: false, plan: KNOWN });
    expect(transcript(await scoreBatch(folder, WEEK), folder)).toMatchInlineSnapshot(`
      "exit 65
      stderr:
      scoring 1997-W11
      error: 1997-W11 was not published: 12.5 % of the values of plan are null, gates.max_null_share is 10 %
        also: plan drifted from the bundle's reference: PSI 2.782, gates.max_feature_psi is 0.2
        also: logins drifted from the bundle's reference: PSI 2.252, gates.max_feature_psi is 0.2
      hint: compare plan, logins in the source with the training rows (\`score-batch plan\` prints the query), then correct the source or retrain the model
        look at max_null_share in duckdb: SELECT COUNT(*) AS row_count, COUNT(*) - COUNT("subscription") AS null_count FROM (select user_id, subscription, logins from users where signup >= CAST('1997-03-10' AS DATE) and signup < CAST('1997-03-17' AS DATE)
        ) window_rows
        look at max_feature_psi in duckdb: SELECT "subscription" AS feature_value, COUNT(*) AS row_count FROM (select user_id, subscription, logins from users where signup >= CAST('1997-03-10' AS DATE) and signup < CAST('1997-03-17' AS DATE)
        ) window_rows GROUP BY 1 ORDER BY 2 DESC LIMIT 20
        look at max_feature_psi in duckdb: SELECT COUNT(*) AS row_count, COUNT("logins") AS value_count, MIN("logins") AS lowest, AVG("logins") AS average, MAX("logins") AS highest FROM (select user_id, subscription, logins from users where signup >= CAST('1997-03-10' AS DATE) and signup < CAST('1997-03-17' AS DATE)
        ) window_rows
        or check the rows and publish them by <time>: score-batch publish --job job --run <id> --accept max_null_share,max_feature_psi --reason "…""
    `);
    expect(await publishedTables(folder)).toEqual(['marketing.score_batch_ledger']);
    expect((await recorded(folder)).at(-1)).toMatchObject({ state: 'refused', drift: { measured: 2 } });
  });

  it('refuses a text that was never seen at all', async () => {
    const references = { plan: { categories: { free: 0.5, pro: 0.5 } } };
    const folder = await project({
      gates: `${few}  max_feature_psi: { plan: 5 }\n`,
      table: false,
      references,
      plan: `'free '`,
    });
    const { code, stderr } = await scoreBatch(folder, WEEK);
    expect(code).toBe(65);
    expect(stderr).toMatch(/plan drifted from the bundle's reference: PSI 17\.\d+, gates\.max_feature_psi is 5/);
  });

  it('passes within its limits, and is skipped with a warning for few rows', async () => {
    const limits = '  max_feature_psi: { logins: 3 }\n  max_null_share: 20%\n';
    expect(await published(await project({ gates: `${few}${limits}`, plan: KNOWN }))).toMatchObject({ warnings: [] });
    expect(await published(await project({ gates: limits, plan: KNOWN }))).toMatchObject({
      warnings: ['drift check of the features skipped: 40 scored rows, gates.psi_min_rows is 500'],
    });
  });

  it.each([
    [
      'is not a feature',
      { gates: '  max_feature_psi: { login: 0.1 }\n' },
      'gates.max_feature_psi limits login, which is not a feature of the model',
      'did you mean logins?',
    ],
    [
      'has no reference',
      { gates: '  max_null_share: { plan: 5% }\n', references: { logins: REFERENCES.logins } },
      'gates.max_null_share limits plan, but the bundle BUNDLE has no reference for it',
      'add plan to reference.features in model.yaml',
    ],
    [
      'has none, since no feature has one',
      { gates: '  max_null_share: 5%\n', references: {} },
      'gates.max_null_share is set, but the bundle BUNDLE has no reference for its features to compare with',
      'add reference.features to model.yaml',
    ],
  ])('on what %s is refused before a row moves', async (_, options, message, hint) => {
    const folder = await project({ ...options, table: false });
    const { code, stderr } = await scoreBatch(folder, ['plan', ...WEEK]);
    expect(code).toBe(78);
    const text = stderr.replaceAll(path.join(folder, 'model'), 'BUNDLE');
    expect(text).toContain(`error: ${message}\n`);
    expect(text).toContain(`hint: ${hint}`);
  });
});

it('is not measured unless the job asks, and a table without a reference is refused', async () => {
  const folder = await project({ table: false, plan: KNOWN });
  expect(await published(folder)).toMatchObject({ feature_drift: [] });
  expect((await recorded(folder)).every(({ drift }) => drift === null)).toBe(true);
  const without = await project({ references: {}, plan: KNOWN });
  const { code, stderr } = await scoreBatch(without, WEEK);
  expect(code).toBe(78);
  expect(stderr).toContain('report.drift_table is set, but the bundle ');
});

it('tables of one name are refused', async () => {
  const folder = await project();
  const job = path.join(folder, 'jobs/job.yaml');
  await writeFile(job, (await readFile(job, 'utf8')).replace('marketing.drift', 'marketing.summary'));
  const { code, stderr } = await scoreBatch(folder, ['plan', ...WEEK]);
  expect(code).toBe(78);
  expect(stderr).toContain('report.drift_table: marketing.summary is already report.summary_table');
});
