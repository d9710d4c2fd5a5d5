import { expect, it } from 'vitest';
import { evaluate, evaluateTooEarly, KNOWN, labelledProject, publishWeek } from '../support/labelled-project.ts';
import { linearProject } from '../support/linear-project.ts';
import { statements } from '../support/project.ts';
import { rowsOf, warehouseOf } from '../support/published.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { transcript } from '../support/transcript.ts';

const TABLE = 'marketing.scores_evaluation';
/** Published users with their outcome, as SQL sees them. */
const JOINED = `(select s.*, o.came_true, o.contacted from marketing.scores s join outcomes o using (user_id))`;

/** Compares a part of the evaluation table with what SQL says: only rows that differ. */
function differing(folder: string, part: string, columns: string, sql: string): Promise<Record<string, unknown>[]> {
  const [own, other] = [`select ${columns} from ${TABLE} where ${part}`, `select ${columns} from (${sql})`];
  return rowsOf(folder, `(${own} except ${other}) union all (${other} except ${own})`);
}

it('writes what a query over scores and outcomes says, for all users, by contact and by segment', async () => {
  const folder = await labelledProject();
  await publishWeek(folder);
  const { code, stdout } = await evaluate(folder, '--json');
  expect(code).toBe(0);
  const groups = `(select 'all' as segment, 'all' as segment_value, * from ${JOINED}
    union all select 'country', country, * from ${JOINED})`;
  const contacts = `(select 'all' as contact_group, * from ${groups}
    union all select if(contacted, 'treated', 'untreated'), * from ${groups})`;
  const overall =
    'segment, segment_value, contact_group, users, positives, mean_score::decimal(18, 9) as m, brier::decimal(18, 9) as b';
  expect(
    await differing(
      folder,
      "part = 'overall'",
      overall,
      `select segment, segment_value, contact_group, count(*) as users, count(*) filter (came_true) as positives,
         avg(cast(propensity as double)) as mean_score, avg((cast(propensity as double) - came_true::integer) ** 2) as brier
       from ${contacts} c group by all`,
    ),
  ).toEqual([]);
  // The definition of an AUC: all pairs.
  expect(
    await differing(
      folder,
      "part = 'overall'",
      'segment, segment_value, contact_group, auc::decimal(18, 9) as a',
      `select p.segment, p.segment_value, p.contact_group,
         avg(case when p.propensity > n.propensity then 1.0 when p.propensity = n.propensity then 0.5 else 0 end) as auc
       from (select * from ${contacts} c where came_true) p join (select * from ${contacts} c where not came_true) n
         using (segment, segment_value, contact_group) group by all`,
    ),
  ).toEqual([]);
  const deciles = 'contact_group, bin, users, positives, lift::decimal(18, 9) as l, capture::decimal(18, 9) as c';
  expect(
    await differing(
      folder,
      "part = 'decile' and segment = 'all'",
      deciles,
      `select contact_group, decile as bin, count(*) as users, count(*) filter (came_true) as positives,
         positives / users / (sum(positives) over w / sum(users) over w) as lift, positives / sum(positives) over w as capture
       from ${contacts} c where segment = 'all' group by contact_group, decile window w as (partition by contact_group)`,
    ),
  ).toEqual([]);
  const [bins] = await rowsOf(
    folder,
    `select sum(users) as users, sum(positives) as positives, max(bin) as last,
       abs(sum(users * abs(mean_score - positives / users)) / sum(users) -
         (select calibration_error from ${TABLE} where part = 'overall' and segment = 'all' and contact_group = 'all')) < 1e-8 as same
     from ${TABLE} where part = 'calibration' and segment = 'all' and contact_group = 'all'`,
  );
  expect(bins).toMatchObject({ users: '100', last: '10', same: true });

  // The command, the table and the ledger say the same.
  const said = JSON.parse(stdout) as Record<string, unknown>;
  const [row] = await rowsOf(
    folder,
    `select e.*, l.details::json->'evaluation' as recorded, l.state from ${TABLE} e
     join (select * from marketing.score_batch_ledger order by entry_number desc limit 1) l using (run_id)
     where part = 'overall' and segment = 'all' and contact_group = 'all'`,
  );
  expect(said).toMatchObject({ job: 'linear', window: '1997-W11', published: 100, missing: 0, unmatched: 0, in_sample: null });
  expect([row?.users, row?.positives, row?.in_sample, row?.state]).toEqual(['100', String(said.positives), null, 'completed']);
  for (const name of ['auc', 'auc_low', 'auc_high', 'average_precision', 'brier', 'calibration_error', 'mean_score'])
    expect(Number(row?.[name]), name).toBeCloseTo(Number(said[name]), 8);
  const { schema: _schema, table: _, window: _window, job: _job, run_id: __, ...facts } = said;
  expect(JSON.parse(String(row?.recorded))).toMatchObject(facts);
});

it('shows people the outcome, and status remembers it', async () => {
  const folder = await labelledProject();
  await publishWeek(folder);
  expect(transcript(await evaluate(folder), folder)).toMatchInlineSnapshot(`
    "exit 0
    stdout:
    evaluated linear 1997-W11 (1997-03-10 00:00 to 1997-03-17 00:00, America/New_York), run <id>
      outcomes    until 1997-04-14 00:00 (America/New_York), of 100 published users
      all users   100, 55 came true (55.0%), mean score 58.3%
                  AUC 0.718 (95 % interval 0.619 to 0.817), average precision 0.780, Brier score <s>72, off by 15.3% on average
      treated     34, 19 came true (55.9%), mean score 58.3%
                  AUC 0.758 (95 % interval 0.596 to 0.919), average precision 0.825, Brier score <s>95, off by 20.1% on average
      untreated   66, 36 came true (54.5%), mean score 58.3%
                  AUC 0.697 (95 % interval 0.570 to 0.823), average precision 0.758, Brier score <s>12, off by 12.9% on average
      believed    untreated: contacting users changes their outcomes
      table       marketing.scores_evaluation

    decile  users  mean score  came true  lift  captured
         1     10       69.2%     100.0%  1.82     18.2%
         2     10       66.5%      80.0%  1.45     14.5%
         3     10       65.1%      50.0%  0.91      9.1%
         4     10       62.4%      60.0%  1.09     10.9%
         5     10       59.0%      70.0%  1.27     12.7%
         6     10       56.3%      40.0%  0.73      7.3%
         7     10       54.2%      40.0%  0.73      7.3%
         8     10       53.0%      50.0%  0.91      9.1%
         9     10       50.4%      40.0%  0.73      7.3%
        10     10       46.9%      20.0%  0.36      3.6%"
  `);
  const { stdout } = await scoreBatch(folder, ['status'], { SCORE_BATCH_NOW: KNOWN });
  expect(stdout).toMatch(/: outcomes known: AUC 0\.\d{3} \(95 % interval 0\.\d{3} to 0\.\d{3}\), 100 users/);
});

it('gives the same again, and replaces what it had written', async () => {
  const folder = await labelledProject();
  await publishWeek(folder);
  const rows = () => rowsOf(folder, `select * exclude (evaluated_at) from ${TABLE} order by all`);
  await evaluate(folder);
  const first = await rows();
  await evaluate(folder);
  expect(await rows()).toEqual(first);
  await statements(warehouseOf(folder), ['update outcomes set came_true = not came_true where user_id < 10']);
  await evaluate(folder);
  expect(await rows()).toHaveLength(first.length);
  expect(await rows()).not.toEqual(first);
});

it('waits for the outcomes, and for a publication', async () => {
  const folder = await labelledProject({ edit: (job) => `${job}  ready: select count(*) > 0 from loaded\n` });
  await statements(warehouseOf(folder), ['create table loaded (x integer)']);
  const refusals = [transcript(await evaluate(folder), folder)];
  await publishWeek(folder);
  refusals.push(transcript(await evaluateTooEarly(folder), folder), transcript(await evaluate(folder), folder));
  const without = await linearProject();
  await publishWeek(without);
  refusals.push(transcript(await evaluate(without), without));
  expect(refusals.join('\n\n')).toMatchInlineSnapshot(`
    "exit 65
    stderr:
    error: nothing is published for 1997-W11
    hint: run the job for this window first

    exit 69
    stderr:
    error: the outcomes of 1997-W11 are not known before 1997-04-14 00:00 (America/New_York)
    hint: evaluate the window after that; labels.after sets how long outcomes take

    exit 69
    stderr:
    error: the outcomes of 1997-W11 are not in the source yet: labels.ready is not true
      select count(*) > 0 from loaded
    hint: run the same command again when the load into the source has finished; a scheduler should retry

    exit 78
    stderr:
    error: linear has no labels, so the outcomes of its users are not known
    hint: add labels to the job file: a query that returns keys and outcomes"
  `);
  await statements(warehouseOf(folder), ['insert into loaded values (1)']);
  expect((await evaluate(folder)).code).toBe(0);
});
