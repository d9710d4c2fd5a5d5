import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { evaluate, LABELS_QUERY, labelledProject, publishWeek } from '../support/labelled-project.ts';
import { statements } from '../support/project.ts';
import { rowsOf, warehouseOf } from '../support/published.ts';
import { transcript } from '../support/transcript.ts';

const OUTCOMES = "select user_id, date '1997-03-20' as seen, user_id % 4 < 3 as came_true, true as contacted from users";
const NEGATIVE = 'labels:\n  query_file: jobs/outcomes.sql\n  after: 28 days\n  missing: negative\n';
const query = (columns: string) => `select ${columns} from outcomes where seen >= :label_start_date and seen < :label_end_date`;

/** Labels that must be refused, by what they do. */
const REFUSED: Readonly<Record<string, { readonly outcomes?: string; readonly query?: string; readonly missing?: string }>> = {
  'duplicate keys': {
    outcomes: `${OUTCOMES} union all (${OUTCOMES} where user_id < 7) union all (${OUTCOMES} where user_id = 3)`,
  },
  'miss most users': { outcomes: `${OUTCOMES} where user_id < 40` },
  'are of others, where a missing one counts as negative': {
    outcomes: OUTCOMES.replace('user_id,', 'user_id + 60 as user_id,'),
    missing: 'negative',
  },
  'come from before the end of the window': {
    query: query('user_id, came_true as outcome, contacted, seen - 4 as observed_at'),
  },
  'come from after the horizon': {
    query: query('user_id, came_true as outcome, contacted, seen::timestamp + interval 30 days as observed_at'),
  },
  'do not depend on the time after the window': { query: 'select user_id, came_true as outcome, contacted from outcomes' },
  'have outcomes that are neither 0 nor 1': { query: query('user_id, user_id % 3 as outcome, contacted') },
  'have outcomes of text': { query: query("user_id, 'yes' as outcome, contacted") },
  'have keys of another type': { query: query("'u' || user_id as user_id, came_true as outcome, contacted") },
  'lack a column': { query: query('user_id, came_true, contacted') },
  'are none': { outcomes: `${OUTCOMES} where false` },
};

it('refuses labels that cannot be right, with numbers and without keys, and writes nothing', async () => {
  const folder = await labelledProject();
  await publishWeek(folder);
  const job = await readFile(path.join(folder, 'jobs/job.yaml'), 'utf8');
  const said: string[] = [];
  for (const [what, { outcomes = OUTCOMES, query: text = LABELS_QUERY, missing = 'exclude' }] of Object.entries(REFUSED)) {
    await statements(warehouseOf(folder), [`create or replace table outcomes as ${outcomes}`]);
    await writeFile(path.join(folder, 'jobs/outcomes.sql'), text);
    await writeFile(path.join(folder, 'jobs/job.yaml'), job.replace('missing: exclude', `missing: ${missing}`));
    said.push(`labels that ${what}: ${transcript(await evaluate(folder), folder)}`);
  }
  expect(said.join('\n\n')).toMatchInlineSnapshot(`
    "labels that duplicate keys: exit 65
    stderr:
    error: 7 keys occur more than once among the 108 labels, one key 3 times
    hint: return one row per key, with GROUP BY or DISTINCT

    labels that miss most users: exit 65
    stderr:
    error: the labels give the outcome of only 40 of 100 published users; 0 of the 40 labels belong to no published user
    hint: check that jobs/outcomes.sql returns the key of source.key; if it returns only users whose outcome came true, set labels.missing: negative

    labels that are of others, where a missing one counts as negative: exit 65
    stderr:
    error: 60 of the 100 labels belong to no published user
    hint: check the key; if the query also returns users of other windows, filter by :window_start_date and :window_end_date

    labels that come from before the end of the window: exit 65
    stderr:
    error: 100 labels come from before the end of the window, so the model could have known the outcome
    hint: return outcomes from :label_start on; observed_at says when each was seen

    labels that come from after the horizon: exit 65
    stderr:
    error: 100 labels come from :label_end or later, which labels.after does not allow
    hint: return outcomes from before :label_end; observed_at says when each was seen

    labels that do not depend on the time after the window: exit 78
    stderr:
    error: jobs/outcomes.sql uses neither :label_start nor :label_end, so its outcomes may include those from before the end of the window
    hint: count only what happened from :label_start_date to before :label_end_date

    labels that have outcomes that are neither 0 nor 1: exit 65
    stderr:
    error: 33 labels have an outcome that is neither 0 nor 1
    hint: compare with the threshold in the query, so that the outcome is true or false

    labels that have outcomes of text: exit 78
    stderr:
    error: the column outcome of the query of labels is VARCHAR, but the outcome must be a boolean, or an integer of 0 and 1
    hint: cast it in the query

    labels that have keys of another type: exit 78
    stderr:
    error: the key column user_id is VARCHAR in the query of labels, but integer in the published scores
    hint: cast it in the query of labels, so that equal keys compare equal

    labels that lack a column: exit 78
    stderr:
    error: labels.outcome names outcome, but the query of labels has no such column
    hint: its columns are user_id, came_true, contacted

    labels that are none: exit 65
    stderr:
    error: jobs/outcomes.sql returned no labels
    hint: check its conditions: outcomes run from :label_start to before :label_end"
  `);
  const [table] = await rowsOf(folder, "select count(*) as n from duckdb_tables() where table_name = 'scores_evaluation'");
  expect(table).toEqual({ n: '0' });
});

it('says that nothing is known of the ranking where all outcomes are the same, and where all scores are', async () => {
  const same = await labelledProject({ outcomes: OUTCOMES.replace('user_id % 4 < 3', 'true') });
  await publishWeek(same);
  const one = await evaluate(same, '--json');
  expect(one.stderr).toContain('all 100 outcomes are the same, so the ranking cannot be evaluated');
  expect(JSON.parse(one.stdout)).toMatchObject({ users: 100, positives: 100, auc: null, average_precision: null });
  const tied = await labelledProject({
    users: "select i as user_id, date '1997-03-11' as signup, 1.0 as a, 1.0 as b, 'DE' as country from range(50) as users(i)",
    outcomes: OUTCOMES,
  });
  await publishWeek(tied);
  expect(JSON.parse((await evaluate(tied, '--json')).stdout)).toMatchObject({ users: 50, auc: 0.5, auc_low: null });
  const bins = await rowsOf(tied, "select distinct bin, users from marketing.scores_evaluation where part = 'calibration'");
  expect(bins).toEqual([{ bin: '6', users: '50' }]);
});

it('evaluates one user, and refuses a window without any', async () => {
  const users = (n: number) =>
    `select i as user_id, date '1997-03-11' as signup, 1.0 as a, 1.0 as b, 'it''s <b> \u{1F600}' as country from range(${n}) as users(i)`;
  const alone = await labelledProject({ users: users(1), outcomes: OUTCOMES });
  await publishWeek(alone);
  expect(JSON.parse((await evaluate(alone, '--json')).stdout)).toMatchObject({ users: 1, positives: 1, auc: null });
  const [segment] = await rowsOf(
    alone,
    "select segment_value from marketing.scores_evaluation where segment = 'country' limit 1",
  );
  expect(segment).toEqual({ segment_value: "it's <b> \u{1F600}" });
  const nobody = await labelledProject({
    users: users(0),
    outcomes: OUTCOMES,
    edit: (job) => job.replace('min_rows: 1', 'min_rows: 0'),
  });
  await publishWeek(nobody);
  expect(transcript(await evaluate(nobody), nobody)).toMatchInlineSnapshot(`
    "exit 65
    stderr:
    error: 1997-W11 was published without scores, so there is nothing to evaluate"
  `);
});

it('evaluates the largest 100 values of a segment with 10,000, and says so', async () => {
  const folder = await labelledProject({
    users: `select i as user_id, date '1997-03-11' as signup, (i % 97) / 10.0 as a, 0.5 as b,
      if(i < 20000, 'big ' || (i % 100), 'small ' || i) as country from range(30000) as users(i)`,
    outcomes: OUTCOMES,
  });
  await publishWeek(folder);
  const { stdout, stderr } = await evaluate(folder, '--json');
  expect(stderr).toContain('country has more than 100 values: only those with the most users were evaluated');
  expect(JSON.parse(stdout)).toMatchObject({ users: 30_000 });
  const [kept] = await rowsOf(
    folder,
    `select count(distinct segment_value) as kept, count(*) filter (segment_value not like 'big %') as others,
       sum(users) as users from marketing.scores_evaluation where segment = 'country' and part = 'overall' and contact_group = 'all'`,
  );
  expect(kept).toEqual({ kept: '100', others: '0', users: '20000' });
});

it('counts users without a label as the job says, and leaves out those whose outcome is not known', async () => {
  const some = `select user_id, seen, if(user_id = 0, null, came_true) as came_true, contacted from (${OUTCOMES}) where user_id < 80`;
  const measured = async (labels: string) => {
    const folder = await labelledProject({ labels, outcomes: some, labelsQuery: LABELS_QUERY });
    await publishWeek(folder);
    const { users, positives, missing } = JSON.parse((await evaluate(folder, '--json')).stdout) as Record<string, unknown>;
    return { users, positives, missing };
  };
  expect(await measured(NEGATIVE.replace('negative', 'exclude'))).toEqual({ users: 79, positives: 59, missing: 21 });
  expect(await measured(NEGATIVE)).toEqual({ users: 99, positives: 59, missing: 21 });
});

it('refuses scores that somebody changed since they were published', async () => {
  const folder = await labelledProject();
  await publishWeek(folder);
  await statements(warehouseOf(folder), ['delete from marketing.scores where user_id = 5']);
  expect(transcript(await evaluate(folder), folder)).toMatchInlineSnapshot(`
    "exit 65
    stderr:
    error: the scores table holds 99 rows of 1997-W11, but run <id> published 100 scores
    hint: someone changed the table, or another run is publishing the window; run the window again, then evaluate it"
  `);
});
