import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { KNOWN, type LabelledOptions, labelledProject } from '../support/labelled-project.ts';
import { statements } from '../support/project.ts';
import { rowsOf, warehouseOf } from '../support/published.ts';
import { type Outcome, scoreBatch, startScoreBatch } from '../support/score-batch.ts';

const PRELOAD = new URL('../crash/preload.mjs', import.meta.url).href;

/** Users of every week from 1997-W09 to W15, 40 each. */
const USERS = `
  select i as user_id, date '1997-02-24' + cast(7 * (i // 40) + i % 7 as integer) as signup,
    (i % 20) / 10.0 as a, (i % 13) / 10.0 as b, ['US', 'DE'][1 + i % 2] as country
  from range(280) as users(i)`;

/** Outcomes in the order of the scores, or against it. */
const outcomes = (order: '<' | '>') =>
  `select user_id, signup + 10 as seen, a - b / 2 ${order} 0.6 + (hash(user_id) % 10) / 20.0 as came_true, false as contacted from users`;

const run = (folder: string, now: string, ...flags: string[]): Promise<Outcome> =>
  scoreBatch(folder, ['--week', ...flags], { SCORE_BATCH_NOW: now });

/** A project that has published 1997-W09 to W11, on the Mondays after them. */
async function published(options: LabelledOptions = {}): Promise<string> {
  const folder = await labelledProject({ users: USERS, outcomes: outcomes('>'), ...options });
  for (const monday of ['1997-03-03', '1997-03-10', '1997-03-17']) {
    expect((await run(folder, `${monday}T08:00:00-05:00`, '-q')).code).toBe(0);
  }
  return folder;
}

const evaluated = async (folder: string): Promise<string[]> => {
  const rows = await rowsOf(
    folder,
    "select window_label || ' ' || run_id as one from marketing.scores_evaluation where part = 'overall' and segment = 'all' and contact_group = 'all' order by 1",
  );
  return rows.map(({ one }) => String(one).slice(0, 8));
};

it('evaluates in a run what has become known since, once, and again where it was published again', async () => {
  const folder = await published();
  // The outcomes of W09 are not known before 1997-03-31, those of W10 from 1997-04-07.
  const first = await run(folder, '1997-04-07T08:00:00-04:00');
  expect(first.code).toBe(0);
  expect(first.stderr.match(/evaluated \S+/g)).toEqual(['evaluated 1997-W09:', 'evaluated 1997-W10:']);
  expect(await evaluated(folder)).toEqual(['1997-W09', '1997-W10']);
  expect((await run(folder, '1997-04-07T09:00:00-04:00')).stderr).not.toContain('evaluated');
  await scoreBatch(folder, ['-q', '--week', '1997-W10'], { SCORE_BATCH_NOW: '1997-03-17T09:00:00-05:00' });
  const again = await run(folder, KNOWN);
  expect(again.stderr.match(/evaluated \S+/g)).toEqual(['evaluated 1997-W10:', 'evaluated 1997-W11:']);
  const runs = await rowsOf(
    folder,
    `select count(distinct run_id) as runs, bool_and(run_id in (select run_id from marketing.scores)) as current
     from marketing.scores_evaluation`,
  );
  expect(runs).toEqual([{ runs: '3', current: true }]);
});

it('publishes although the outcomes cannot be evaluated, and says why', async () => {
  const folder = await published();
  await statements(warehouseOf(folder), ['insert into outcomes select * from outcomes']);
  const { code, stderr } = await run(folder, '1997-03-31T08:00:00-05:00');
  expect(code).toBe(0);
  expect(stderr).toMatch(/warning: 1997-W09 was not evaluated: 143 keys occur more than once among the 286 labels/);
  const [entry] = await rowsOf(
    folder,
    "select details->'warnings' as warnings from marketing.score_batch_ledger where publication is not null order by entry_number desc limit 1",
  );
  expect(String(entry?.warnings)).toContain('1997-W09 was not evaluated');
  await statements(warehouseOf(folder), ['drop table outcomes']);
  const gone = await run(folder, '1997-03-31T09:00:00-05:00');
  expect(gone.code).toBe(0);
  expect(gone.stderr).toMatch(/warning: 1997-W09 was not evaluated: .*outcomes/);
});

it('warns or refuses where even the upper bound of the newest AUC is below the gate', async () => {
  const folder = await published({
    outcomes: outcomes('<'),
    edit: (job) => job.replace('gates:', 'gates:\n  min_auc: 0.6\n  max_calibration_error: 5%'),
  });
  const warned = await run(folder, '1997-03-31T08:00:00-05:00');
  expect(warned.code).toBe(0);
  expect(warned.stderr).toMatch(
    /warning: the scores of 1997-W09 did not separate of the untreated users enough: AUC 0\.\d+ \(95 % interval [\d.]+ to 0\.\d+\), gates\.min_auc is 0\.6/,
  );
  expect(warned.stderr).toMatch(
    /warning: the scores of 1997-W09 were off by [\d.]+ % on average.*, gates\.max_calibration_error is 5 %/,
  );
  const job = path.join(folder, 'jobs/job.yaml');
  await writeFile(job, (await readFile(job, 'utf8')).replace('min_auc: 0.6', 'min_auc: 0.6\n  on_evaluation: refuse'));
  const refused = await run(folder, '1997-04-07T08:00:00-04:00');
  expect(refused.code).toBe(65);
  expect(refused.stderr).toMatch(/error: 1997-W14 was not published: the scores of 1997-W10 did not separate/);
  expect(refused.stderr).toContain('hint: retrain the model on newer windows');
  // Windows that the model was trained on do not count.
  const bundle = path.join(folder, 'model/model.yaml');
  await writeFile(bundle, (await readFile(bundle, 'utf8')).replace(/^trained:.*$/m, 'trained: { through: 1997-W12 }'));
  await statements(warehouseOf(folder), [
    `delete from marketing.score_batch_ledger where json_exists(details, '$.evaluation')`,
  ]);
  const inSample = await run(folder, '1997-04-07T09:00:00-04:00');
  expect(inSample.stderr).toContain('evaluation check skipped: no window outside the training has been evaluated yet');
  expect(inSample.code).toBe(0);
  expect(await rowsOf(folder, 'select distinct in_sample from marketing.scores_evaluation')).toEqual([{ in_sample: true }]);
});

it.each(['before', 'during', 'after'] as const)(
  'killed %s the commit of an evaluation, the next run has the same',
  async (phase) => {
    const folder = await published();
    const at = { pattern: 'duckdb COMMIT', occurrence: 1, phase };
    const environment = { SCORE_BATCH_NOW: '1997-03-31T08:00:00-05:00', NODE_OPTIONS: `--import ${PRELOAD}` };
    const killed = await startScoreBatch(folder, ['evaluate', '--week', '1997-W09'], {
      ...environment,
      CRASH_AT: JSON.stringify(at),
    }).ended;
    expect(killed.signal).toBe('SIGKILL');
    const next = await run(folder, '1997-03-31T08:00:00-05:00');
    expect(next.code).toBe(0);
    expect(await evaluated(folder)).toEqual(['1997-W09']);
    const entries = await rowsOf(
      folder,
      `select count(*) as n, count(distinct run_id) as runs from marketing.score_batch_ledger where json_exists(details, '$.evaluation')`,
    );
    expect(entries).toEqual([{ n: '1', runs: '1' }]);
  },
);
