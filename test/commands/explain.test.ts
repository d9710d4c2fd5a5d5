import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ExplainedOptions, explainedProject } from '../support/explained-project.ts';
import { repository, statements } from '../support/project.ts';
import { rowsOf, warehouseOf } from '../support/published.ts';
import { type Outcome, scoreBatch } from '../support/score-batch.ts';
import { transcript } from '../support/transcript.ts';

const WEEK = ['--week', '1997-W11'];

async function publishedProject(options: ExplainedOptions = {}): Promise<string> {
  const folder = await explainedProject(options);
  const { code, stderr } = await scoreBatch(folder, ['-q', ...WEEK]);
  expect(code, stderr).toBe(0);
  return folder;
}

function explain(folder: string, key: readonly string[], ...flags: string[]): Promise<Outcome> {
  return scoreBatch(folder, ['explain', ...WEEK, ...flags, '--', ...key]);
}

async function explained(folder: string, key: readonly string[], ...flags: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await explain(folder, key, '--json', ...flags);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const update = (folder: string, ...list: string[]) => statements(warehouseOf(folder), list);

it('shows the score of a user, why, and what made it', async () => {
  const folder = await publishedProject();
  expect(transcript(await explain(folder, ['19']), folder)).toMatchInlineSnapshot(`
    "exit 0
    stdout:
    linear 1997-W11, run <id>
      model     linear 1, sha256 e147a59d862d…
      score     0.689974, rank 4, decile 1, band high
      reasons   a 1.9, usually 1
                (occlusion: what the score would be with values from baseline.csv)"
  `);
  const [top] = await rowsOf(folder, 'select * from marketing.scores where user_id = 19');
  const reasons = [top?.reason_1, top?.reason_2].filter((text) => text !== null);
  expect(await explained(folder, ['19'])).toMatchObject({
    ...{ job: 'linear', window: '1997-W11', run_id: top?.run_id, model: { name: 'linear', version: '1' } },
    score: { score: Number(top?.propensity), rank: Number(top?.rank), decile: 1, band: 'high', reasons },
    ...{ reasons, earlier: [], quarantined: [] },
  });
});

it('explains a user outside of the top, whom the run did not explain', async () => {
  const folder = await publishedProject({ reasons: '{ top: 3, features: 1 }' });
  const [user] = await rowsOf(
    folder,
    'select user_id from marketing.scores join users using (user_id) where rank > 3 and a > 1.5 and b > 0.3 limit 1',
  );
  const found = await explained(folder, [String(user?.user_id)]);
  expect(found).toMatchObject({ score: { reasons: [] }, reasons: [expect.stringMatching(/^a .*, usually 1$/)] });
  expect(found.reasons_from).toContain('occlusion');
});

it('--features says how many', async () => {
  const folder = await publishedProject({
    reasons: '{ top: 3, features: 1 }',
    users: "select i as user_id, date '1997-03-12' as signup, 2 as a, 0.0 as b, 'US' as country from range(3) as users(i)",
  });
  expect((await explained(folder, ['1'])).reasons).toEqual(['a 2, usually 1']);
  expect((await explained(folder, ['1'], '--features', '5')).reasons).toEqual(['a 2, usually 1', 'b 0, usually 0.2']);
});

it('says why a user is in quarantine', async () => {
  const folder = await publishedProject({
    edit: (job) => job.replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 50%'),
    users: `
    select i as user_id, date '1997-03-12' as signup, if(i = 3, null, i / 10) as a, 0.5 as b, 'US' as country from range(10) as users(i)`,
  });
  expect(transcript(await explain(folder, ['3']), folder)).toMatchInlineSnapshot(`
    "exit 0
    stdout:
    linear 1997-W11, run <id>
      model     linear 1, sha256 e147a59d862d…
      not scored: null in a required feature (a)"
  `);
  expect(await explained(folder, ['3'])).toMatchObject({
    ...{ score: null, reasons: [], reasons_from: null },
    quarantined: [{ reason: 'null in a required feature', column: 'a' }],
  });
});

describe('a key', () => {
  it('that nobody has, or with too many or too few values, is a mistake in the command', async () => {
    const folder = await publishedProject();
    expect(transcript(await explain(folder, ['100']), folder)).toMatchInlineSnapshot(`
      "exit 64
      stderr:
      error: 1997-W11 has no user with this key
      hint: write the key as it is in the scores table, with times in UTC such as 2026-11-18 09:00:00; put -- before a value that begins with -"
    `);
    expect(transcript(await explain(folder, ['1', '2']), folder)).toMatchInlineSnapshot(`
      "exit 64
      stderr:
      error: the key has 1 column, but 2 values were given
      hint: give a value for each of user_id, in this order"
    `);
    expect((await explain(folder, ['nobody'])).code).toBe(64);
    expect((await explain(folder, [])).code).toBe(64);
  });

  const hostile = ["O'Neil", '😀 "x"', 'a\\b', "'; drop table users; --", '-1', ''];
  it.each(hostile)('%j is found as it is', async (name) => {
    const folder = await publishedProject({
      users: `select name as user_id, date '1997-03-12' as signup, 1.5 as a, 0.5 as b, 'US' as country
        from (values ${hostile.map((one) => `('${one.replaceAll("'", "''")}')`).join(', ')}) as users(name)`,
    });
    expect(await explained(folder, [name])).toMatchObject({
      reasons: ['a 1.5, usually 1'],
      score: { band: expect.any(String) },
    });
  });

  it.each<[title: string, column: string, written: string]>([
    ['a decimal', '(i - 2)::decimal(12, 2) + 0.10', '-0.90'],
    ['an instant', "timestamptz '1997-03-01 10:00:00+00' + i * interval 1 hour", '1997-03-01T11:00Z'],
    ['a UUID', "('c000000' || i || '-0000-4000-8000-000000000000')::uuid", 'C0000001-0000-4000-8000-000000000000'],
  ])('that is %s may be written as people write it', async (_, column, written) => {
    const folder = await publishedProject({
      users: `select ${column} as user_id, date '1997-03-12' as signup, i as a, 0.5 as b, 'US' as country from range(3) as users(i)`,
    });
    expect(await explained(folder, [written])).toMatchObject({ score: { rank: 2 } });
  });

  it('of two columns takes two values', async () => {
    const folder = await publishedProject({
      users: `select chr(97 + i::integer) as name, date '1997-03-10' + i::integer as day, date '1997-03-12' as signup, 1.5 as a, i / 10 as b,
        'US' as country from range(3) as users(i)`,
      query: 'select name, day, a, b, country from users where signup >= :window_start_date and signup < :window_end_date',
      edit: (job) => job.replace('[user_id]', '[name, day]'),
    });
    expect(await explained(folder, ['b', '1997-03-11'])).toMatchObject({
      score: { rank: 2 },
      reasons: ['a 1.5, usually 1', expect.stringMatching(/^b 0\.1/)],
    });
    expect((await explain(folder, ['b', '1997-03-12'])).code).toBe(64);
    expect(transcript(await explain(folder, ['b']), folder)).toMatchInlineSnapshot(`
      "exit 64
      stderr:
      error: the key has 2 columns, but 1 value was given
      hint: give a value for each of name, day, in this order"
    `);
  });
});

describe('what changed since the run', () => {
  it('the row: shows the reasons that were published, and says so', async () => {
    const folder = await publishedProject();
    const before = await explained(folder, ['19']);
    await update(folder, 'update users set a = 0.25 where user_id = 19');
    const after = await explained(folder, ['19']);
    expect(after).toMatchObject({ reasons: before.reasons, score: before.score });
    expect(after.reasons_from).toBe('as published, because the row in the source no longer gives this score');
    await update(folder, 'delete from users where user_id = 19');
    expect(await explained(folder, ['19'])).toMatchObject({ reasons: before.reasons });
    // Nothing was published of a user far below.
    const [last] = await rowsOf(folder, 'select user_id from marketing.scores order by rank desc limit 1');
    await update(folder, 'update users set a = 1');
    expect(await explained(folder, [String(last?.user_id)])).toMatchObject({
      reasons: [],
      reasons_from: 'not known, because the row in the source no longer gives this score',
    });
  });

  it('the model: shows the reasons that were published, and says so', async () => {
    const folder = await publishedProject();
    const before = await explained(folder, ['19']);
    const yaml = path.join(folder, 'model', 'model.yaml');
    const text = await readFile(yaml, 'utf8');
    const slow = repository('test/fixtures/models/slow');
    await cp(path.join(slow, 'model.onnx'), path.join(folder, 'model', 'model.onnx'));
    const [digest = ''] = /sha256: "\w+"/.exec(await readFile(path.join(slow, 'model.yaml'), 'utf8')) ?? [];
    await writeFile(yaml, text.replace(/sha256: "\w+"/, digest).replace('version: "1"', 'version: "2"'));
    const after = await explained(folder, ['19']);
    expect(after).toMatchObject({ reasons: before.reasons, model: { version: '1' } });
    expect(after.reasons_from).toBe('as published, because the job file now names a different model');
  });
});

describe('windows', () => {
  it('that are not published are refused', async () => {
    const folder = await publishedProject();
    expect(transcript(await scoreBatch(folder, ['explain', '19', '--week', '1997-W10']), folder)).toMatchInlineSnapshot(`
      "exit 65
      stderr:
      error: nothing is published for 1997-W10
      hint: run the job for this window first"
    `);
    expect((await scoreBatch(await explainedProject(), ['explain', '19', '--week', '1997-W10'])).code).toBe(65);
  });

  it('before it are listed with their scores, the newest first, and no later ones', async () => {
    const folder = await explainedProject({
      query: `select user_id, a + dayofyear(:window_start_date) / 1000 as a, b, country from users where :window_start_date < :window_end_date`,
    });
    for (const week of ['1997-W09', '1997-W10', '1997-W11', '1997-W12']) {
      const { code, stderr } = await scoreBatch(folder, ['-q', '--week', week], {
        SCORE_BATCH_NOW: '1997-03-31T08:00:00-05:00',
      });
      expect(code, stderr).toBe(0);
    }
    const rows = await rowsOf(
      folder,
      'select window_label, propensity, rank from marketing.scores where user_id = 7 order by window_start desc',
    );
    const { earlier, score } = await explained(folder, ['7']);
    const shown = [score, ...(earlier as object[])] as Record<string, unknown>[];
    expect(
      shown.map(({ window, score: value, rank }) => ({
        window_label: window,
        propensity: (value as number).toFixed(6),
        rank: String(rank),
      })),
    ).toEqual(rows.slice(1));
    const { stdout } = await explain(folder, ['7']);
    expect(stdout).toMatch(/^earlier +score +rank +band +model\n1997-W10 +0\.\d{6} +\d+ +\w+ +linear 1\n1997-W09 /m);
    expect(stdout).not.toContain('W12');
  });
});

it('explains although the job renames a feature that only its challenger has, whose bundle is gone', async () => {
  const folder = await publishedProject({
    edit: (job) => `${job}features: { d2: d }\ncompare: { max_psi: 5 }\nchallenger: { model: models/gone, promote_after: 2 }\n`,
  });
  expect((await explained(folder, ['19'])).reasons).toEqual(['a 1.9, usually 1']);
});
