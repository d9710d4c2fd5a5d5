import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { explainedProject, slowOcclusion, strongest } from './support/explained-project.ts';
import { publishedRows, rowsOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';

// Reasons in whole runs on DuckDB: which users get them, and which they are.

const CSV = 'reports/linear-1997-W11.csv';
const BY_RANK = 'select * from marketing.scores order by rank';

async function published(folder: string, ...flags: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await scoreBatch(folder, ['--week', '--json', ...flags]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** `details.reasons` of the newest publication. */
async function facts(folder: string): Promise<Record<string, unknown>> {
  const sql = `select details->>'reasons' as facts from marketing.score_batch_ledger where state = 'published' order by rowid desc`;
  return JSON.parse(String((await rowsOf(folder, sql))[0]?.facts)) as Record<string, unknown>;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const linear = ([a = null, b = null]: readonly (number | null)[]) => sigmoid(0.5 * (a ?? 0) - 0.25 * (b ?? 0));
const number = (value: unknown) => (value === null ? null : Number(value));

/** What a reader of the job expects for a user of the linear model. The usual value of `a` is also its mean. */
function linearReasons(a: number | null, b: number | null): (string | null)[] {
  const baseline = [
    [0.5, 0.2],
    [1, null],
    [1.5, 1.1],
  ];
  const [own, text] = [[a, b], b === null ? 'no value' : String(b)];
  const texts = [`a ${a}, usually 1`, `b ${text}, usually ${b === 0.2 ? '0.2, on average 0.65' : '0.2'}`];
  const found = strongest(slowOcclusion(linear, own, baseline), 2).map((feature) => texts[feature] ?? null);
  return [found[0] ?? null, found[1] ?? null];
}

describe('reasons of a run', () => {
  it('are those of a slow computation, in scores, report and CSV, frozen or not, in one step or three', async () => {
    const reasons = '{ top: 60, features: 2 }';
    const editModel = (yaml: string) => yaml.replace('name: a,', 'name: a, reason: "{name} {value}, usually {usual}",');
    const [tapped, frozen, steps] = [
      await explainedProject({ editModel, reasons }),
      await explainedProject({ editModel, reasons, freeze: 'always' }),
      await explainedProject({ editModel, reasons, freeze: 'always' }),
    ];
    for (const folder of [tapped, frozen]) await published(folder);
    for (const step of ['freeze', 'score', 'publish']) {
      const { code, stderr } = await scoreBatch(steps, [step, '--week']);
      expect(code, stderr).toBe(0);
    }
    const rows = await rowsOf(tapped, `select * from marketing.scores join users using (user_id) order by rank`);
    expect(rows).toHaveLength(100);
    for (const { rank, a, b, reason_1, reason_2 } of rows) {
      const expected = Number(rank) <= 60 ? linearReasons(number(a), number(b)) : [null, null];
      expect([reason_1, reason_2], `rank ${rank}`).toEqual(expected);
    }
    // Both features and both places occur, or the comparison says little.
    const texts = rows.slice(0, 60).flatMap(({ reason_1, reason_2 }) => [reason_1, reason_2]);
    for (const part of [/^a /, /^b no value/, /^b 0/]) expect(texts.some((text) => part.test(String(text)))).toBe(true);

    const tables = await publishedRows(tapped);
    const csv = await readFile(path.join(tapped, CSV), 'utf8');
    for (const folder of [frozen, steps]) {
      expect(await publishedRows(folder)).toEqual(tables);
      expect(await readFile(path.join(folder, CSV), 'utf8')).toBe(csv);
    }
    const report = await rowsOf(tapped, 'select user_id, reason_1, reason_2 from marketing.report order by rank');
    expect(report).toEqual(rows.map(({ user_id, reason_1, reason_2 }) => ({ user_id, reason_1, reason_2 })));
    const lines = parse(csv, { columns: true }) as Record<string, string>[];
    expect(Object.keys(lines[0] ?? {}).slice(-3)).toEqual(['band', 'reason_1', 'reason_2']);
    expect(lines.map((line) => [line.user_id, line.reason_1, line.reason_2])).toEqual(
      report.map(({ user_id, reason_1, reason_2 }) => [user_id, reason_1 ?? '', reason_2 ?? '']),
    );
    const users = rows.filter(({ reason_1 }) => reason_1 !== null).length;
    for (const folder of [tapped, frozen, steps]) {
      expect(await facts(folder)).toMatchObject({ features: 2, method: 'occlusion', users, changed: 0 });
    }
  });

  it('go to every user if there are fewer than were asked for, and leave columns empty if there are fewer features', async () => {
    const folder = await explainedProject({ reasons: '{ top: 100000, features: 4 }' });
    await published(folder);
    const rows = await rowsOf(folder, `${BY_RANK.replace('scores', 'scores join users using (user_id)')}`);
    const reasons = rows.map(({ reason_1, reason_2, reason_3, reason_4 }) => [reason_1, reason_2, reason_3, reason_4]);
    expect(reasons).toEqual(rows.map(({ a, b }) => [...linearReasons(number(a), number(b)), null, null]));
    // Nothing raises the lowest score.
    expect(reasons.at(-1)).toEqual([null, null, null, null]);
    const explained = reasons.filter(([first]) => first !== null).length;
    expect(await facts(folder)).toMatchObject({ users: explained, changed: 0 });
  });

  it('are shown with what they cost', async () => {
    const folder = await explainedProject();
    const plan = await scoreBatch(folder, ['plan', '--week']);
    expect(plan.stdout).toContain(
      '\n  reasons   of the highest 15 scores, compared with 3 baseline rows: their features are read again, by running the query again\n',
    );
    const { seconds } = await published(folder);
    expect((seconds as Record<string, number>).explain).toBeGreaterThan(0);
    expect((await facts(folder)).seconds).toBeGreaterThan(0);
    const [entry] = await rowsOf(
      folder,
      "select details->>'$.seconds.explain' as s from marketing.score_batch_ledger where state = 'published'",
    );
    expect(Number(entry?.s)).toBeGreaterThan(0);
    const status = await scoreBatch(folder, ['status']);
    expect(status.stdout).toMatch(/ \+ explain \d+\.\d\d \+ /);
  });

  it('stop where equal scores stop being ranked: by the key', async () => {
    const names = ["'b'", "'a'", "'B'", "'é'", "'😀'", "'～'", "''"];
    const folder = await explainedProject({
      reasons: '{ top: 4, features: 1 }',
      users: `select name as user_id, date '1997-03-12' as signup, 2 as a, 0.5 as b, 'US' as country
        from (values ${names.map((name) => `(${name})`).join(', ')}) as users(name)`,
    });
    await published(folder);
    const rows = await rowsOf(folder, BY_RANK);
    expect(rows.map(({ user_id, reason_1 }) => [user_id, reason_1])).toEqual(
      ['', 'B', 'a', 'b', 'é', '～', '😀'].map((name, i) => [name, i < 4 ? 'a 2, usually 1' : null]),
    );
  });

  it.each<[title: string, key: string, columns: string]>([
    ['text', '[name]', `['O''Neil', '😀 "x"', 'a\\b', 'line' || chr(10) || 'end', ''][1 + i] as name`],
    ['a decimal', '[price]', '(i - 2)::decimal(12, 2) + 0.10 as price'],
    ['a UUID', '[id]', "('c000000' || i || '-0000-4000-8000-000000000000')::uuid as id"],
    [
      'a day and a time',
      '[day, seen]',
      "date '1997-03-01' + i::integer as day, timestamp '1997-03-01 10:00:00.000001' + i * interval 1 hour as seen",
    ],
    ['an instant', '[seen]', "timestamptz '1997-03-01 10:00:00.5+01' + i * interval 1 hour as seen"],
    ['a large integer', '[big]', '9007199254740993 + i as big'],
    ['a boolean and text', '[flag, name]', `i % 2 = 0 as flag, chr(97 + (i // 2)::integer) as name`],
  ])('reach users whose key is %s', async (_, key, columns) => {
    for (const freeze of ['never', 'always'] as const) {
      const folder = await explainedProject({
        freeze,
        users: `select ${columns}, date '1997-03-12' as signup, 1.5 + i / 10 as a, 0.5 as b, 'US' as country from range(5) as users(i)`,
        query: `select * exclude (signup) from users where signup >= :window_start_date and signup < :window_end_date`,
        edit: (job) => job.replace('[user_id]', key),
      });
      await published(folder);
      const rows = await rowsOf(folder, BY_RANK);
      expect(rows.map(({ reason_1 }) => reason_1)).toEqual([4, 3, 2, 1, 0].map((i) => `a ${1.5 + i / 10}, usually 1`));
      expect(await facts(folder)).toMatchObject({ users: 5, changed: 0 });
    }
  });
});

/** sigmoid(-0.125 logins - 1 on the plan pro - 1 where active) over columns with other names and types. */
describe('reasons of texts, integers and booleans', () => {
  const BASELINE = 'active,plan,logins\ntrue,pro,20\ntrue,free,10\ntrue,pro,30\n';
  type Cell = string | number | boolean;
  const score = ([plan, logins, active]: readonly Cell[]) =>
    sigmoid(-0.125 * Number(logins) - Number(plan === 'pro') - Number(active === true));
  const rows: readonly (readonly [id: string | null, plan: string | null, logins: number | null, active: boolean | null])[] = [
    ...Array.from({ length: 24 }, (_, i): [string, string, number, boolean] => [
      `${100 + i}`,
      ['free', 'pro', '<b>gold</b> 😀', ''][i % 4] ?? '',
      (i * 7) % 11,
      i % 3 === 0,
    ]),
    // The highest scores belong to rows that are not scored.
    ['1', null, 0, false],
    ['2', 'free', null, false],
    ['3', 'free', 0, null],
    [null, 'free', 0, false],
    ['5', 'free', 0, false],
    ['5', 'free', 0, false],
  ];
  const literal = (value: Cell | null) => (typeof value === 'string' ? `'${value}'` : String(value));

  it.each(['never', 'always'] as const)('reach scored users only (source.freeze: %s)', async (freeze) => {
    const folder = await explainedProject({
      ...{ model: 'mixed', baseline: BASELINE, freeze, reasons: '{ top: 20, features: 3 }' },
      users: `select user_id::varchar as user_id, date '1997-03-12' as signup, subscription::varchar as subscription,
        logins::decimal(9, 0) as "Number of logins", active::boolean as act, 'US' as country
        from (values ${rows.map((row) => `(${row.map(literal).join(', ')})`).join(', ')}) as users(user_id, subscription, logins, active)`,
      query: `select * exclude (signup) from users where signup >= :window_start_date and signup < :window_end_date`,
      edit: (job) =>
        job
          .replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 100%')
          .replace('sink:\n', 'features: { plan: subscription, logins: Number of logins, active: act }\nsink:\n'),
      editModel: (yaml) =>
        yaml
          .replace('unknown: allow', `categories: [free, pro, "<b>gold</b> 😀", ""], unknown: quarantine`)
          .replace('{ name: active }', '{ name: active, reason: "uses it: {value} ({usual})" }'),
    });
    expect(await published(folder)).toMatchObject({ rows: { frozen: 30, scored: 24, quarantined: 6 } });
    const baseline: Cell[][] = [
      ['pro', 20, true],
      ['free', 10, true],
      ['pro', 30, true],
    ];
    const found = await rowsOf(folder, BY_RANK);
    for (const { user_id, rank, reason_1, reason_2, reason_3 } of found) {
      const [, plan = '', logins = 0, active = false] = rows.find(([id]) => id === user_id) ?? [];
      const texts = [
        `plan ${plan === '' ? 'empty' : plan}, usually pro`,
        `logins ${logins}, usually 20`,
        `uses it: ${active ? 'yes' : 'no'} (yes)`,
      ];
      const own = [plan ?? '', logins ?? 0, active ?? false];
      const expected = strongest(slowOcclusion<Cell>(score, own, baseline), 3).map((feature) => texts[feature] ?? null);
      if (Number(rank) > 20) expected.length = 0;
      expect([reason_1, reason_2, reason_3], `rank ${rank}`).toEqual([...expected, null, null, null].slice(0, 3));
    }
    expect(await facts(folder)).toMatchObject({ changed: 0 });
    const all = found.flatMap(({ reason_1, reason_2, reason_3 }) => [reason_1, reason_2, reason_3]);
    expect(all).toContain('plan <b>gold</b> 😀, usually pro');
    expect(all).toContain('plan empty, usually pro');
    expect(all).toContain('uses it: no (yes)');
  });
});
