import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { repository } from './support/project.ts';
import { publishedTables, rowsOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';
import { transcript } from './support/transcript.ts';

const PLAN = 'categories: [free, pro], unknown: quarantine';

/** The strings model over users whose plan is `plan`, an SQL expression over their number `i`. */
async function textProject(plan: string, rules: string, query = 'plan'): Promise<string> {
  const yaml = await readFile(repository('test/fixtures/models/strings/model.yaml'), 'utf8');
  expect(yaml).toContain(PLAN);
  return await linearProject({
    model: 'strings',
    users: `select i as user_id, date '1997-03-12' as signup, ${plan} as plan, i as logins from range(40) as users(i)`,
    query: `select user_id, ${query} as plan, logins from users where signup >= :window_start_date and signup < :window_end_date`,
    edit: (job) => job.replaceAll('country', 'logins').replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 100%'),
    files: { 'model/model.yaml': yaml.replace(PLAN, rules) },
  });
}

it('a text feature without categories is refused before a row moves, unless it says that it takes any text', async () => {
  const bare = await scoreBatch(await textProject("'free'", 'nullable: false'), ['plan', '--week']);
  expect(bare.code).toBe(78);
  expect(bare.stderr).toContain('plan: a text feature needs categories, or unknown: allow if the model takes any text\n');
  expect(bare.stderr).toMatch(/^hint: `score-batch model inspect \S+model\.onnx` prints columns and categories/m);
  const open = await textProject("'free ' || i", 'unknown: allow');
  expect((await scoreBatch(open, ['--week'])).code).toBe(0);
  expect(await rowsOf(open, 'select count(*) as n from marketing.scores')).toEqual([{ n: '40' }]);
});

it('a column that a CSV reader made BOOLEAN is refused with what a cast would give beside what the model knows', async () => {
  const folder = await textProject('i % 2 = 0', 'categories: ["No", "Yes", free, pro]');
  expect(transcript(await scoreBatch(folder, ['plan', '--week']), folder)).toMatchInlineSnapshot(`
    "exit 78
    stderr:
    error: the query does not provide what the model needs
      plan is BOOLEAN and the model takes string: a cast would give false and true, and the model knows "No", "Yes", "free", "pro": map them with CASE in the query, or load the column as text
    hint: \`score-batch model inspect FOLDER\` prints the columns that a model needs"
  `);
});

describe('a window in which most texts were never seen', () => {
  const known = 'categories: [free, pro]';

  it.each(['default, default: free', 'quarantine'])('is refused under unknown: %s', async (unknown) => {
    const folder = await textProject('i % 2 = 0', `${known}, unknown: ${unknown}`, "nullif(plan::text, '')");
    const outcome = await scoreBatch(folder, ['--week']);
    expect(outcome.code).toBe(65);
    expect(outcome.stderr).toContain(
      'was not published: more than half of the values of plan were never seen in training: 40 of 40 are not among its categories\n',
    );
    expect(outcome.stderr).toMatch(/^hint: compare plan in the source with the categories in \S+model\.yaml/m);
    expect(await publishedTables(folder)).not.toContain('marketing.scores');
  });

  it('is refused by a process that scored none of it', async () => {
    const folder = await textProject("'gold'", `${known}, unknown: allow`);
    for (const command of ['freeze', 'score']) {
      const { code, stderr } = await scoreBatch(folder, [command, '--week']);
      expect(code, stderr).toBe(0);
    }
    const outcome = await scoreBatch(folder, ['publish', '--week']);
    expect(outcome.code).toBe(65);
    expect(outcome.stderr).toContain('40 of 40 are not among its categories\n');
    // No value of a row in a message.
    expect(outcome.stderr).not.toContain('gold');
  });

  it('is published while it is half of them, nulls aside, and the ledger keeps the counts', async () => {
    const plan = "case when i < 10 then 'gold' when i < 20 then 'pro' end";
    const folder = await textProject(plan, `${known}, unknown: allow, nullable: true, default: free`);
    const outcome = await scoreBatch(folder, ['--week']);
    expect(outcome.code).toBe(0);
    const details = await rowsOf(
      folder,
      "select details->'texts' as texts from marketing.score_batch_ledger where state = 'published'",
    );
    expect(details).toEqual([{ texts: '{"plan":[20,10]}' }]);
  });
});
