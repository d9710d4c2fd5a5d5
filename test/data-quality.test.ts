import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { LINEAR_USERS, type LinearOptions, linearProject } from './support/linear-project.ts';
import { query, repository, statements } from './support/project.ts';
import { ledgerStates, publishedRows, publishedTables, rowsOf, warehouseOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';
import { transcript, withPlaceholders } from './support/transcript.ts';

const IN_WINDOW = 'where signup >= :window_start_date and signup < :window_end_date';
const CSV = 'reports/linear-1997-W11.csv';
const LEDGER_ONLY = ['marketing.score_batch_ledger'];

/** Replaces pieces of the job file; each must be there. */
function replacing(...pairs: [from: string, to: string][]): (job: string) => string {
  return (job) =>
    pairs.reduce((text, [from, to]) => {
      expect(text).toContain(from);
      return text.replace(from, () => to);
    }, job);
}

const quarantineUpTo = (share: string): [string, string] => ['max_quarantine_rate: 1%', `max_quarantine_rate: ${share}`];

/** Users of one week, a row per tuple of SQL values: key, a, b. */
function users(rows: readonly (readonly [key: string, a: string, b: string])[], keyType = 'bigint'): string {
  return `select cast(k as ${keyType}) as user_id, date '1997-03-12' as signup, a, b, 'US' as country
    from (values ${rows.map(([key, a, b]) => `(${key}, cast(${a} as double), cast(${b} as double))`).join(', ')}) as t(k, a, b)`;
}

/** `count` users that are scored without complaint, with keys from 0 on. */
const sound = (count: number) => Array.from({ length: count }, (_, i) => [String(i), '1', '1'] as const);

async function publish(options: LinearOptions, args: readonly string[] = []): Promise<string> {
  const folder = await linearProject(options);
  const { code, stderr } = await scoreBatch(folder, ['--week', '-q', ...args]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return folder;
}

async function csvOf(folder: string, file = CSV): Promise<Record<string, string>[]> {
  return parse(await readFile(path.join(folder, file), 'utf8'), { columns: true }) as Record<string, string>[];
}

const EARLIER = LINEAR_USERS.replace('1997-03-10', '1997-03-03');

describe('an empty window', () => {
  it('is refused, with the newest window that has rows', async () => {
    const folder = await linearProject({ users: EARLIER });
    expect(transcript(await scoreBatch(folder, ['--week', '-q']), folder)).toMatchInlineSnapshot(`
      "exit 65
      stderr:
      error: 1997-W11 was not published: the window has no rows
      hint: the latest earlier window with rows is 1997-W10; add --allow-empty to publish it empty, or --skip-empty to end with exit code 99
        look at empty in duckdb: SELECT window_label, state, rows_frozen, rows_quarantined FROM "warehouse"."marketing"."score_batch_ledger" WHERE job = 'linear' AND state IN ('published', 'refused') ORDER BY entry_number DESC LIMIT 20
        or check the rows and publish them by <time>: score-batch publish --job job --run <id> --accept empty --reason "…""
    `);
    expect(await publishedTables(folder)).toEqual(LEDGER_ONLY);
    expect(await ledgerStates(folder)).toEqual(['started', 'refused']);
  });

  it('is published empty with a warning where min_rows is 0', async () => {
    const folder = await linearProject({ users: EARLIER, edit: replacing(['min_rows: 1', 'min_rows: 0']) });
    const { code, stdout, stderr } = await scoreBatch(folder, ['--week', '--json']);
    expect(code).toBe(0);
    expect(stderr).toContain('warning: the window has no rows; it is published empty\n');
    expect(JSON.parse(stdout)).toMatchObject({
      rows: { frozen: 0, scored: 0, quarantined: 0 },
      warnings: ['the window has no rows; it is published empty'],
    });
    expect(Object.values(await publishedRows(folder))).toEqual([[], [], [], []]);
    expect(await ledgerStates(folder)).toEqual(['started', 'published', 'completed']);
    expect(await readFile(path.join(folder, CSV), 'utf8')).toBe(
      'window_label,user_id,country,propensity,rank,percentile,decile,band\n',
    );
  });

  it('ends with 99 with --skip-empty and publishes nothing', async () => {
    const folder = await linearProject({ users: EARLIER });
    expect(transcript(await scoreBatch(folder, ['--week', '-q', '--skip-empty']), folder)).toMatchInlineSnapshot(`"exit 99"`);
    expect(await publishedTables(folder)).toEqual(LEDGER_ONLY);
    expect(await ledgerStates(folder)).not.toContain('published');
    expect((await scoreBatch(folder, ['--week', '1997-W10', '--skip-empty'])).code).toBe(0);
  });

  it.each([
    ['min_rows: 1', 'min_rows: 1'],
    ['min_rows: 0', 'min_rows: 0'],
  ])('never replaces a full publication with %s, but with --allow-empty', async (_, minRows) => {
    const folder = await publish({ edit: replacing(['min_rows: 1', minRows]) });
    await scoreBatch(folder, ['--date', '1997-03-12']);
    const before = await publishedRows(folder);
    await statements(warehouseOf(folder), ['delete from users']);
    const refused = await scoreBatch(folder, ['--week']);
    expect(refused.code).toBe(65);
    expect(refused.stderr).toContain('1997-W11 was not published: the window has no rows now and 100 are published\n');
    expect(await publishedRows(folder)).toEqual(before);
    expect(await csvOf(folder)).toHaveLength(100);
    expect((await scoreBatch(folder, ['--week', '--skip-empty'])).code).toBe(99);
    expect(await publishedRows(folder)).toEqual(before);
    const emptied = await scoreBatch(folder, ['--week', '--allow-empty']);
    expect(emptied.code).toBe(0);
    expect(emptied.stderr).toContain('warning: the window has no rows; it is published empty\n');
    const after = await publishedRows(folder);
    expect(after['marketing.report']).toEqual([]);
    expect(after['marketing.summary']).toEqual([]);
    expect(after['marketing.scores']).toEqual(before['marketing.scores']?.filter((row) => row.window_label === '1997-03-12'));
    expect(after['marketing.scores']).not.toEqual([]);
    expect(await csvOf(folder)).toEqual([]);
  });
});

describe('a gate', () => {
  it('min_rows refuses fewer rows, and the same command publishes once they are there', async () => {
    const folder = await linearProject({ edit: replacing(['min_rows: 1', 'min_rows: 101']) });
    expect(transcript(await scoreBatch(folder, ['--week', '-q']), folder)).toMatchInlineSnapshot(`
      "exit 65
      stderr:
      error: 1997-W11 was not published: the window has 100 rows, gates.min_rows is 101
      hint: rows are missing: the source was loaded in part or late, or a join or a filter of the query dropped them; the limits are under gates in the job file
        look at min_rows in duckdb: SELECT window_label, state, rows_frozen, rows_quarantined FROM "warehouse"."marketing"."score_batch_ledger" WHERE job = 'linear' AND state IN ('published', 'refused') ORDER BY entry_number DESC LIMIT 20
        or check the rows and publish them by <time>: score-batch publish --job job --run <id> --accept min_rows --reason "…""
    `);
    expect(await publishedTables(folder)).toEqual(LEDGER_ONLY);
    expect(await ledgerStates(folder)).toEqual(['started', 'refused']);
    await statements(warehouseOf(folder), ["insert into users values (1000, date '1997-03-12', 1, 1, 'US')"]);
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
    // `refused` is final: the second start froze anew, or the row that came late would be missing.
    expect(await rowsOf(folder, 'select count(*) as n from marketing.scores')).toEqual([{ n: '101' }]);
  });

  it('max_drop compares with the publication that would be replaced', async () => {
    const folder = await publish({ edit: replacing(['min_rows: 1', 'min_rows: 1\n  max_drop: 50%']) });
    await statements(warehouseOf(folder), ['delete from users where user_id < 50']);
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
    const before = await publishedRows(folder);
    await statements(warehouseOf(folder), ['delete from users where user_id < 76']);
    const outcome = await scoreBatch(folder, ['--week', '-q']);
    expect(transcript(outcome, folder)).toMatchInlineSnapshot(`
      "exit 65
      stderr:
      error: 1997-W11 was not published: the window has 24 rows, 52 % fewer than the publication it would supersede; gates.max_drop is 50 %
      hint: rows are missing: the source was loaded in part or late, or a join or a filter of the query dropped them; the limits are under gates in the job file
        look at max_drop in duckdb: SELECT window_label, state, rows_frozen, rows_quarantined FROM "warehouse"."marketing"."score_batch_ledger" WHERE job = 'linear' AND state IN ('published', 'refused') ORDER BY entry_number DESC LIMIT 20
        or check the rows and publish them by <time>: score-batch publish --job job --run <id> --accept max_drop --reason "…""
    `);
    expect(before['marketing.scores']).toHaveLength(50);
    expect(await publishedRows(folder)).toEqual(before);
  });

  it('max_drop compares with the window before where nothing is published yet', async () => {
    const folder = await linearProject({
      users: `${EARLIER} union all select * from (${LINEAR_USERS}) where user_id < 49`,
      edit: replacing(['min_rows: 1', 'min_rows: 1\n  max_drop: 50%']),
    });
    expect((await scoreBatch(folder, ['--week', '1997-W10'])).code).toBe(0);
    const before = await publishedRows(folder);
    const { code, stderr } = await scoreBatch(folder, ['--week']);
    expect(code).toBe(65);
    expect(stderr).toContain('the window has 49 rows, 51 % fewer than the previous window; gates.max_drop is 50 %\n');
    expect(await publishedRows(folder)).toEqual(before);
  });

  it('max_score_psi refuses scores that drifted from the reference of the bundle', async () => {
    const yaml = await readFile(repository('test/fixtures/models/linear/model.yaml'), 'utf8');
    const drifted = yaml.replace('score: { edges: [0.5], shares: [0.5, 0.5] }', 'score: { edges: [0.5], shares: [0.9, 0.1] }');
    const options = { files: { 'model/model.yaml': drifted } };
    // The rule of thumb is 0.25; shares of the scores by hand: 0.5 a >= 0.25 b.
    const above = Array.from({ length: 100 }, (_, i) => 0.5 * (i % 20) >= 0.25 * (i % 10 === 3 ? 0 : i % 13)).filter(Boolean);
    const p = above.length / 100;
    const psi = (p - 0.1) * Math.log(p / 0.1) + (1 - p - 0.9) * Math.log((1 - p) / 0.9);
    const gates = (limit: number, rows: number) =>
      replacing(['min_rows: 1', `min_rows: 1\n  max_score_psi: ${limit}\n  psi_min_rows: ${rows}`]);

    const folder = await linearProject({ ...options, edit: gates(0.25, 100) });
    const { code, stderr } = await scoreBatch(folder, ['--week']);
    expect(code).toBe(65);
    expect(stderr).toContain(
      `1997-W11 was not published: the scores drifted from the bundle's reference: PSI ${psi.toFixed(3)}, gates.max_score_psi is 0.25\n`,
    );
    expect(await publishedTables(folder)).toEqual(LEDGER_ONLY);

    const measured = await scoreBatch(await linearProject({ ...options, edit: gates(10, 100) }), ['--week', '--json']);
    expect(JSON.parse(measured.stdout).score_psi).toBeCloseTo(psi, 12);
    const few = await scoreBatch(await linearProject({ ...options, edit: gates(0.25, 101) }), ['--week', '--json']);
    expect(few.code).toBe(0);
    expect(JSON.parse(few.stdout).score_psi).toBeNull();
  });

  it('max_quarantine_rate refuses too many rejected rows and says where they can be seen', async () => {
    const folder = await linearProject({
      users: `select * replace (case when user_id in (5, 17) then null when user_id = 23 then 1e9 else a end as a) from (${LINEAR_USERS})`,
    });
    const outcome = await scoreBatch(folder, ['--week', '-q']);
    expect(transcript(outcome, folder)).toMatchInlineSnapshot(`
      "exit 65
      stderr:
      error: 1997-W11 was not published: 3 % of the rows were quarantined, gates.max_quarantine_rate is 1 %
        quarantined: 2 × null in a required feature (a)
        quarantined: 1 × feature out of range (a)
      hint: check the query: a column has changed in form, range or nulls; the limits are under gates in the job file
        look at max_quarantine_rate in duckdb: select * from read_parquet('<project>/data/warehouse.duckdb.scratch/<id>/staged/*/rejected.parquet', hive_partitioning = false) where reason is not null
        or check the rows and publish them by <time>: score-batch publish --job job --run <id> --accept max_quarantine_rate --reason "…""
    `);
    expect(await publishedTables(folder)).toEqual(LEDGER_ONLY);
    expect(await ledgerStates(folder)).toEqual(['started', 'refused']);
    expect(existsSync(path.join(folder, CSV))).toBe(false);
    // The hint's statement is meant to be pasted.
    const shown = /select \* (from read_parquet\('.*'.*\) where reason is not null)/.exec(outcome.stderr)?.[1] ?? '';
    const rejected = await query(':memory:', `select key_0, reason, column_name ${shown} order by key_0`);
    expect(rejected).toEqual([
      { key_0: '5', reason: 'null in a required feature', column_name: 'a' },
      { key_0: '17', reason: 'null in a required feature', column_name: 'a' },
      { key_0: '23', reason: 'feature out of range', column_name: 'a' },
    ]);
  });

  it('with a rate of 100 % is still closed for a window of which every row was quarantined', async () => {
    const folder = await linearProject({
      users: users([
        ['1', 'null', '0'],
        ['2', 'null', '0'],
      ]),
      edit: replacing(quarantineUpTo('100%')),
    });
    const { code, stderr } = await scoreBatch(folder, ['--week']);
    expect(code).toBe(65);
    expect(stderr).toContain(
      '1997-W11 was not published: every row was quarantined: 0 of 2 could be scored\n  quarantined: 2 × null in a required feature (a)\n',
    );
    expect(await publishedTables(folder)).toEqual(LEDGER_ONLY);
  });

  it('duplicates: refuse publishes nothing where a key occurs twice', async () => {
    const folder = await linearProject({
      users: users([...sound(100), ['7', '2', '2']]),
      edit: replacing(['key: [user_id]', 'key: [user_id]\n  duplicates: refuse'], quarantineUpTo('50%')),
    });
    const { code, stderr } = await scoreBatch(folder, ['--week']);
    expect(code).toBe(65);
    expect(stderr).toContain('2 rows share their key with another, and source.duplicates is refuse\n');
    expect(await publishedTables(folder)).toEqual(LEDGER_ONLY);
  });
});

describe('quarantine', () => {
  const hashed = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;

  it.each([
    ['hashed', 'hash', hashed],
    ['as they are', 'plain', (text: string) => text],
  ])('holds every rejected row with its reason, and values %s', async (_, values, shown) => {
    const folder = await publish({
      users: users([
        ...sound(20),
        ['7', '2', '2'],
        ['8', 'null', '2'],
        ['null', '1', '1'],
        ['100', 'null', '1'],
        ['101', '1e9', '1'],
        ['102', '-100.5', 'null'],
        ['103', "'nan'", '1'],
        ['104', "'inf'", '1'],
        ['105', '1', "'nan'"],
        ['106', '1', "'-inf'"],
        ['107', '-100', 'null'],
      ]),
      edit: replacing(quarantineUpTo('50%'), ['keep: [country]', `keep: [country]\n  quarantine_values: ${values}`]),
    });
    const rejected = await rowsOf(
      folder,
      `select user_id, reason, column_name, value from marketing.scores_quarantine order by user_id nulls last, value`,
    );
    const row = (user_id: string | null, reason: string, column_name: string, value: string | null) => ({
      user_id,
      reason,
      column_name,
      value,
    });
    expect(rejected).toEqual([
      row('7', 'duplicate key', 'user_id', null),
      row('7', 'duplicate key', 'user_id', null),
      row('8', 'duplicate key', 'user_id', null),
      row('8', 'duplicate key', 'user_id', null),
      row('100', 'null in a required feature', 'a', null),
      row('101', 'feature out of range', 'a', shown('1000000000.0')),
      row('102', 'feature out of range', 'a', shown('-100.5')),
      row('103', 'feature is not a finite number', 'a', shown('nan')),
      row('104', 'feature is not a finite number', 'a', shown('inf')),
      row('105', 'feature is not a finite number', 'b', shown('nan')),
      row('106', 'feature is not a finite number', 'b', shown('-inf')),
      row(null, 'null key', 'user_id', null),
    ]);
    const scored = await rowsOf(folder, 'select user_id from marketing.scores order by user_id');
    expect(scored.map(({ user_id }) => Number(user_id))).toEqual(
      [...Array.from({ length: 20 }, (__, i) => i), 107].filter((key) => key !== 7 && key !== 8),
    );
    expect(
      await rowsOf(
        folder,
        'select rows_frozen, rows_scored, rows_quarantined from marketing.score_batch_ledger where publication is not null',
      ),
    ).toEqual([{ rows_frozen: '31', rows_scored: '19', rows_quarantined: '12' }]);
    expect(await csvOf(folder)).toHaveLength(19);
  });

  it('takes unknown categories, nulls and numbers out of range of a model with named columns', async () => {
    const folder = await publish({
      model: 'strings',
      users: `select k as user_id, date '1997-03-12' as signup, p as plan, cast(l as bigint) as logins, 'US' as country
        from (values (1, 'pro', 3), (2, 'free', 3), (3, 'gold', 3), (4, null, 3), (5, 'pro', -1), (6, 'pro', null),
          (7, 'free', 9007199254740993), (8, 'PRO', 1)) as t(k, p, l)`,
      query: `select user_id, plan, logins, country from users ${IN_WINDOW}`,
      edit: replacing(quarantineUpTo('90%'), ['keep: [country]', 'keep: [country]\n  quarantine_values: plain']),
    });
    expect(
      await rowsOf(folder, 'select user_id, reason, column_name, value from marketing.scores_quarantine order by user_id'),
    ).toEqual([
      { user_id: '3', reason: 'unknown category', column_name: 'plan', value: 'gold' },
      { user_id: '4', reason: 'null in a required feature', column_name: 'plan', value: null },
      { user_id: '5', reason: 'feature out of range', column_name: 'logins', value: '-1' },
      { user_id: '6', reason: 'null in a required feature', column_name: 'logins', value: null },
      { user_id: '7', reason: 'feature out of range', column_name: 'logins', value: '9007199254740993' },
      { user_id: '8', reason: 'unknown category', column_name: 'plan', value: 'PRO' },
    ]);
    expect(await rowsOf(folder, 'select user_id, propensity from marketing.scores order by user_id')).toEqual([
      { user_id: '1', propensity: '0.201813' },
      { user_id: '2', propensity: '0.407333' },
    ]);
  });

  it.each([
    ['nan', '-2', 'score is not a finite number'],
    ['out-of-range', '1.5', 'score outside 0 to 1'],
    ['out-of-range', '-0.000001', 'score outside 0 to 1'],
  ])('takes the rows for which the model %s gives no probability (a = %s)', async (model, a, reason) => {
    const folder = await publish({
      model,
      users: users([
        ['1', '0.25', '0'],
        ['2', a, '0'],
        ['3', '0', '0'],
      ]),
      edit: replacing(quarantineUpTo('50%')),
    });
    expect(await rowsOf(folder, 'select user_id, reason, column_name, value from marketing.scores_quarantine')).toEqual([
      { user_id: '2', reason, column_name: null, value: null },
    ]);
    expect(await rowsOf(folder, 'select user_id from marketing.scores order by user_id')).toEqual([
      { user_id: '1' },
      { user_id: '3' },
    ]);
  });
});

describe('keys', () => {
  it.each<[type: string, values: string[], csv?: string[]]>([
    [
      'bigint',
      ['-9223372036854775808', '-9007199254740993', '0', '9007199254740992', '9007199254740993', '9223372036854775807'],
    ],
    ['ubigint', ['18446744073709551614', '18446744073709551615']],
    ['hugeint', ['-99999999999999999999999999999999999999', '12345678901234567890123456789012345678']],
    ['decimal(38,0)', ['99999999999999999999999999999999999998', '99999999999999999999999999999999999999']],
    ['decimal(20,4)', ['-9007199254740993.0002', '9007199254740993.0001']],
    [
      'varchar',
      [
        '',
        ' ',
        'a',
        'A',
        'a ',
        'ß',
        'ss',
        'é',
        'e\u0301',
        '日本',
        '👩🏽‍💻',
        '\u03a9',
        '\u2126',
        "O'Brien",
        '007',
        '7',
        'null',
        'NaN',
      ],
    ],
    ['uuid', ['00000000-0000-4000-8000-000000000001', 'ffffffff-ffff-4fff-bfff-ffffffffffff']],
    ['date', ['0001-01-01', '1997-03-10', '9999-12-31']],
    [
      'timestamp',
      ['1969-12-31 23:59:59.999999', '1997-03-10 00:00:00', '1997-03-10 00:00:00.000001'],
      ['1969-12-31T23:59:59.999999', '1997-03-10T00:00:00', '1997-03-10T00:00:00.000001'],
    ],
    [
      'timestamptz',
      ['1997-03-10 00:00:00.000001+00', '1997-03-10 00:00:00.000002+00'],
      ['1997-03-10T00:00:00.000001Z', '1997-03-10T00:00:00.000002Z'],
    ],
    ['boolean', ['false', 'true']],
  ])('of type %s survive exactly, in tables and in the CSV', async (type, values, csv = values) => {
    const folder = await publish({
      users: users(
        values.map((value) => [`'${value.replaceAll("'", "''")}'`, '1', '1']),
        type,
      ),
      edit: replacing(['chunk_rows: 10', 'chunk_rows: 2']),
    });
    for (const table of ['scores', 'report']) {
      for (const [left, right] of [
        ['users', `marketing.${table}`],
        [`marketing.${table}`, 'users'],
      ]) {
        expect(await rowsOf(folder, `select user_id from ${left} except all select user_id from ${right}`)).toEqual([]);
      }
    }
    const file = await csvOf(folder);
    expect(file.map(({ user_id }) => user_id).sort()).toEqual([...csv].sort());
    // All scores are equal, so the ranks follow the keys: text byte by byte, the others in the order in which they stand above.
    const ranked = await rowsOf(folder, 'select cast(user_id as varchar) as text from marketing.report order by rank');
    expect(ranked.map(({ text }) => text)).toEqual(
      type === 'varchar' ? values.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))) : values,
    );
  });

  it('of several columns are told apart part by part', async () => {
    const folder = await publish({
      users: `select a as first, b as second, date '1997-03-12' as signup, 1.0 as a, 1.0 as b, 'US' as country
        from (values ('a', 'bc'), ('ab', 'c'), ('a', '1:c'), ('', 'abc'), ('abc', ''), ('x', 'y'), ('x', 'y'), ('z', null)) as t(a, b)`,
      query: `select first, second, a, b, country from users ${IN_WINDOW}`,
      edit: replacing(['key: [user_id]', 'key: [first, second]'], quarantineUpTo('50%'), ['chunk_rows: 10', 'chunk_rows: 2']),
    });
    expect(await rowsOf(folder, 'select rank, first, second from marketing.scores order by rank')).toEqual([
      { rank: '1', first: '', second: 'abc' },
      { rank: '2', first: 'a', second: '1:c' },
      { rank: '3', first: 'a', second: 'bc' },
      { rank: '4', first: 'ab', second: 'c' },
      { rank: '5', first: 'abc', second: '' },
    ]);
    expect(
      await rowsOf(folder, 'select first, second, reason, column_name from marketing.scores_quarantine order by all'),
    ).toEqual([
      { first: 'x', second: 'y', reason: 'duplicate key', column_name: 'first, second' },
      { first: 'x', second: 'y', reason: 'duplicate key', column_name: 'first, second' },
      { first: 'z', second: null, reason: 'null key', column_name: 'first, second' },
    ]);
  });
});

describe('names and values', () => {
  it('that look like SQL are quoted, never pasted', async () => {
    const score = 'score"; drop table users; --';
    const kept = 'we;ird "col"';
    const folder = await linearProject({
      users: LINEAR_USERS,
      query: `select user_id as "select", a as "a b; --", b, country as "we;ird ""col""" from users ${IN_WINDOW}`,
      edit: replacing(
        ['key: [user_id]', 'key: ["select"]\nfeatures: { a: "a b; --" }'],
        ['column: propensity', `column: '${score}'`],
        ['high: top 10%', `"hi'gh": top 10%`],
        ['table: marketing.scores', `table: '"odd schema"."my; table"'`],
        ['keep: [country]', `keep: ['${kept}']`],
        ['table: marketing.report', `table: '"odd schema"."re""port.1"'`],
        ['summary_table: marketing.summary', `summary_table: '"odd schema"."group"'`],
        ['segments: [country]', `segments: ['${kept}']`],
      ),
    });
    const first = await scoreBatch(folder, ['--week']);
    expect(first.stderr).toContain('published linear 1997-W11');
    expect(first.code).toBe(0);
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
    expect((await scoreBatch(folder, ['status'])).stdout).toContain('1997-W11  completed *');
    expect((await scoreBatch(folder, ['report', '--week'])).code).toBe(0);
    expect(await publishedTables(folder)).toEqual([
      'odd schema.group',
      'odd schema.my; table',
      'odd schema.my; table_quarantine',
      'odd schema.re"port.1',
      'odd schema.score_batch_ledger',
    ]);
    expect(await rowsOf(folder, 'select count(*) as n from users')).toEqual([{ n: '100' }]);
    const [top] = await rowsOf(folder, `select * from "odd schema"."re""port.1" where rank = 1`);
    expect(top).toMatchObject({ select: '39', [kept]: 'US', [score]: '0.721115', rank: '1', band: "hi'gh" });
    const file = await csvOf(folder);
    expect(file).toHaveLength(100);
    expect(file[0]).toMatchObject({ select: '39', [kept]: 'US', [score]: '0.721115' });
    const segments = await rowsOf(folder, `select distinct segment from "odd schema"."group" order by 1`);
    expect(segments).toEqual([{ segment: 'all' }, { segment: kept }]);
  });

  it('that look like SQL or formulas survive in the tables and are guarded in the CSV', async () => {
    const values = [
      "'; drop table users; --",
      '$1 :window_start_date {window}',
      '=1+1',
      '+1',
      '-1',
      '@SUM(A1)',
      '\t=1',
      '＝1',
      '=HYPERLINK("http://example.invalid","x")',
      'two\nlines, "quoted"',
      'ünïcödé ☃',
      'plain',
    ];
    const folder = await publish({
      users: users(
        values.map((value) => [`'${value.replaceAll("'", "''")}'`, '1', '1']),
        'varchar',
      ).replace("'US' as country", 'k as country'),
    });
    const rows = await rowsOf(folder, 'select user_id, country from marketing.report');
    const sorted = (list: readonly unknown[]) => list.map(String).sort();
    expect(sorted(rows.map(({ user_id }) => user_id))).toEqual(sorted(values));
    expect(sorted(rows.map(({ country }) => country))).toEqual(sorted(values));
    const guarded = values.map((value) => (/^[=+\-@\t＝]/.test(value) ? `'${value}` : value));
    const file = await csvOf(folder);
    expect(sorted(file.map(({ user_id }) => user_id))).toEqual(sorted(guarded));
    expect(sorted(file.map(({ country }) => country))).toEqual(sorted(guarded));
    expect(await rowsOf(folder, 'select count(*) as n from users')).toEqual([{ n: String(values.length) }]);
  });
});

describe('what is published', () => {
  interface User {
    readonly key: string;
    readonly a: number;
    readonly b: number | null;
    readonly country: string | null;
    /** Millionths. */
    readonly score: number;
  }

  /** 997 users with many equal scores. None whose score lies so near to the middle of two millionths that float32 decides. */
  const USERS: readonly User[] = Array.from({ length: 4000 }, (_, i) => {
    const a = ((i * 37) % 200) / 8 - 10;
    const b = i % 9 === 4 ? null : ((i * 11) % 64) / 4 - 5;
    const exact = 1e6 / (1 + Math.exp(-(0.5 * a - 0.25 * (b ?? 0))));
    const country = i % 50 === 7 ? null : (['US', 'DE', 'FR'][i % 3] ?? null);
    return { key: String(i * 7 + 3), a, b, country, score: Math.round(exact), clear: Math.abs((exact % 1) - 0.5) > 0.3 };
  })
    .filter(({ clear }) => clear)
    .slice(0, 997);

  const SELECT = `select cast(k as bigint) as user_id, date '1997-03-10' + cast(k % 7 as integer) as signup, cast(a as double) as a,
    cast(b as double) as b, c as country from (values ${USERS.map(({ key, a, b, country }) => `(${key}, ${a}, ${b}, ${country === null ? 'null' : `'${country}'`})`).join(', ')}) as t(k, a, b, c)`;

  const decimal = (millionths: number) => (millionths / 1e6).toFixed(6);

  function place(list: readonly User[], band: (rank: number, user: User) => string) {
    return [...list]
      .sort((x, y) => y.score - x.score || Number(x.key) - Number(y.key))
      .map((user, i) => ({
        user_id: user.key,
        country: user.country,
        propensity: decimal(user.score),
        rank: String(i + 1),
        percentile: String(100 - Math.floor((i * 100) / list.length)),
        decile: String(Math.floor((i * 10) / list.length) + 1),
        band: band(i + 1, user),
      }));
  }

  function summarize(placed: ReturnType<typeof place>) {
    const groups = new Map<string, typeof placed>();
    const add = (key: unknown[], row: (typeof placed)[number]) =>
      groups.set(JSON.stringify(key), [...(groups.get(JSON.stringify(key)) ?? []), row]);
    for (const row of placed) {
      add(['all', 'all', row.band], row);
      add(['country', row.country, row.band], row);
    }
    return [...groups]
      .map(([key, rows]) => {
        const [segment, segment_value, band] = JSON.parse(key) as [string, string | null, string];
        const everybody = placed.filter((row) => segment === 'all' || row.country === segment_value).length;
        const total = rows.reduce((sum, row) => sum + Math.round(Number(row.propensity) * 1e6), 0);
        return {
          segment,
          segment_value,
          band,
          users: String(rows.length),
          share: decimal(Math.round((rows.length * 1e6) / everybody)),
          mean_score: decimal(Math.round(total / rows.length)),
          expected_churners: decimal(total),
        };
      })
      .sort((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1));
  }

  it.each<[title: string, bands: string, band: (rank: number, user: User) => string]>([
    [
      'shares',
      '{ high: top 10%, medium: top 30% }',
      (rank) => (rank - 1 < 0.1 * 997 ? 'high' : rank - 1 < 0.3 * 997 ? 'medium' : 'low'),
    ],
    [
      'thresholds',
      '{ high: 0.8, medium: 0.5 }',
      (_, { score }) => (score >= 800_000 ? 'high' : score >= 500_000 ? 'medium' : 'low'),
    ],
  ])('is what the model and the arithmetic give, row by row, with bands by %s', async (_, bands, band) => {
    expect(USERS).toHaveLength(997);
    expect(new Set(USERS.map(({ score }) => score)).size).toBeLessThan(900);
    expect(USERS.some(({ score }) => score === 500_000)).toBe(true);
    const folder = await publish({
      users: SELECT,
      edit: replacing(['{ high: top 10%, medium: top 30% }', bands], ['chunk_rows: 10', 'chunk_rows: 100']),
    });
    const placed = place(USERS, band);
    const columns = 'user_id, country, propensity, rank, percentile, decile, band';
    expect(await rowsOf(folder, `select ${columns} from marketing.scores order by rank`)).toEqual(placed);
    expect(await rowsOf(folder, `select ${columns} from marketing.report order by rank`)).toEqual(placed);
    const summary = await rowsOf(
      folder,
      'select segment, segment_value, band, users, share, mean_score, expected_churners from marketing.summary',
    );
    expect(summary.sort((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1))).toEqual(summarize(placed));
    const lines = placed.map((row) => ['1997-W11', ...Object.values(row)].map((cell) => cell ?? '').join(','));
    expect(await readFile(path.join(folder, CSV), 'utf8')).toBe(
      ['window_label,user_id,country,propensity,rank,percentile,decile,band', ...lines, ''].join('\n'),
    );
  });

  it('says which window, run and model it comes from', async () => {
    const folder = await publish({});
    const constant = 'job, window_label, window_start, window_end, window_kind, model_name, model_version, model_digest';
    expect(
      await rowsOf(folder, `select distinct ${constant}, cast(scored_at as varchar) as scored_at from marketing.scores`),
    ).toEqual([
      {
        job: 'linear',
        window_label: '1997-W11',
        window_start: '1997-03-10 05:00:00+00',
        window_end: '1997-03-17 05:00:00+00',
        window_kind: 'week',
        model_name: 'linear',
        model_version: '1',
        model_digest: 'e147a59d862d193f24e0dce9501e081c8ed3a0f3f34e1e892ec39a6fed0ff165',
        scored_at: '1997-03-17 13:00:00+00',
      },
    ]);
    const runs = await rowsOf(
      folder,
      `select distinct run_id from marketing.scores union select run_id from marketing.report
       union select run_id from marketing.summary union select run_id from marketing.score_batch_ledger`,
    );
    expect(runs).toHaveLength(1);
    const [entry] = await rowsOf(
      folder,
      `select details->>'sql' as sql, details->'parameters' as parameters, details->'versions' as versions
       from marketing.score_batch_ledger where state = 'started'`,
    );
    expect(entry?.sql).toContain('from users where signup >=');
    expect(JSON.parse(String(entry?.parameters))).toEqual({ window_start_date: '1997-03-10', window_end_date: '1997-03-17' });
    expect(Object.keys(JSON.parse(String(entry?.versions)))).not.toHaveLength(0);
  });

  it('of an ad hoc window goes to the scores table and a file of its own, beside the week', async () => {
    const folder = await linearProject();
    const range = ['--from', '1997-03-10', '--to', '1997-03-13'];
    const adHoc = await scoreBatch(folder, [...range, '--json']);
    expect(adHoc.code).toBe(0);
    expect(JSON.parse(adHoc.stdout)).toMatchObject({
      window: { label: '1997-03-10_1997-03-13', kind: 'ad hoc' },
      tables: ['marketing.scores', 'marketing.scores_quarantine', 'marketing.score_batch_ledger'],
      files: [path.join(folder, 'reports/linear-1997-03-10_1997-03-13.csv')],
    });
    expect(await publishedTables(folder)).not.toContain('marketing.report');
    expect(await publishedTables(folder)).not.toContain('marketing.summary');
    const kinds = `select window_kind as kind, window_label as label, count(*) as n, max(rank) as last
      from marketing.scores group by all order by label`;
    const ofRange = { kind: 'ad hoc', label: '1997-03-10_1997-03-13', n: '44', last: '44' };
    expect(await rowsOf(folder, kinds)).toEqual([ofRange]);
    expect(await csvOf(folder, 'reports/linear-1997-03-10_1997-03-13.csv')).toHaveLength(44);

    await scoreBatch(folder, ['--week']);
    await scoreBatch(folder, ['--date', '1997-03-10']);
    await scoreBatch(folder, [...range]);
    expect(await rowsOf(folder, kinds)).toEqual([
      { kind: 'day', label: '1997-03-10', n: '15', last: '15' },
      ofRange,
      { kind: 'week', label: '1997-W11', n: '100', last: '100' },
    ]);
    expect(await rowsOf(folder, 'select window_label, count(*) as n from marketing.report group by all')).toEqual([
      { window_label: '1997-W11', n: '100' },
    ]);
  });

  it('of a range that is exactly a week is that week', async () => {
    const folder = await publish({});
    const before = await publishedRows(folder);
    const again = await scoreBatch(folder, ['--from', '1997-03-10T00:00:00-05:00', '--to', '1997-03-17T05:00:00Z', '--json']);
    expect(JSON.parse(again.stdout).window).toMatchObject({ label: '1997-W11', kind: 'week' });
    expect(await publishedRows(folder)).toEqual(before);
  });

  it('of a warehouse that changed replaces what was published before, and the file with it', async () => {
    const folder = await publish({});
    await statements(warehouseOf(folder), [
      'delete from users where user_id >= 90',
      'update users set a = 3 where user_id = 5',
    ]);
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
    const [top] = await rowsOf(folder, 'select user_id, count(*) over () as n from marketing.report order by rank limit 1');
    expect(top).toEqual({ user_id: '5', n: '90' });
    expect((await csvOf(folder)).map(({ user_id }) => user_id)[0]).toBe('5');
    expect(await csvOf(folder)).toHaveLength(90);
    expect(withPlaceholders((await scoreBatch(folder, ['status'])).stdout, folder)).toContain('completed *');
  });
});
