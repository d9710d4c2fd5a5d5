import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { statements } from '../support/project.ts';
import { publishedRows, publishedTables, rowsOf, warehouseOf } from '../support/published.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { transcript } from '../support/transcript.ts';

it('shows what a run would do, and moves nothing', async () => {
  const folder = await linearProject();
  expect(transcript(await scoreBatch(folder, ['plan', '--week']), folder)).toMatchInlineSnapshot(`
    "exit 0
    stdout:
    linear 1997-W11 would be published for the first time: 100 rows
      first publication: nothing earlier to compare with; the model is linear 1
      tables that would be created
        CREATE TABLE "marketing"."scores" (
          "user_id" BIGINT,
          "country" VARCHAR,
          "propensity" DECIMAL(7,6),
          "rank" BIGINT,
          "percentile" BIGINT,
          "decile" BIGINT,
          "band" VARCHAR,
          "job" VARCHAR,
          "window_label" VARCHAR,
          "window_start" TIMESTAMP WITH TIME ZONE,
          "window_end" TIMESTAMP WITH TIME ZONE,
          "run_id" VARCHAR,
          "window_kind" VARCHAR,
          "model_name" VARCHAR,
          "model_version" VARCHAR,
          "model_digest" VARCHAR,
          "scored_at" TIMESTAMP WITH TIME ZONE
        )
        CREATE TABLE "marketing"."scores_quarantine" (
          "user_id" BIGINT,
          "reason" VARCHAR,
          "column_name" VARCHAR,
          "value" VARCHAR,
          "job" VARCHAR,
          "window_label" VARCHAR,
          "window_start" TIMESTAMP WITH TIME ZONE,
          "window_end" TIMESTAMP WITH TIME ZONE,
          "run_id" VARCHAR
        )
        CREATE TABLE "marketing"."report" (
          "user_id" BIGINT,
          "country" VARCHAR,
          "propensity" DECIMAL(7,6),
          "rank" BIGINT,
          "percentile" BIGINT,
          "decile" BIGINT,
          "band" VARCHAR,
          "job" VARCHAR,
          "window_label" VARCHAR,
          "window_start" TIMESTAMP WITH TIME ZONE,
          "window_end" TIMESTAMP WITH TIME ZONE,
          "run_id" VARCHAR
        )
        CREATE TABLE "marketing"."summary" (
          "segment" VARCHAR,
          "segment_value" VARCHAR,
          "band" VARCHAR,
          "users" BIGINT,
          "share" DECIMAL(7,6),
          "mean_score" DECIMAL(7,6),
          "expected_churners" DECIMAL(18,6),
          "job" VARCHAR,
          "window_label" VARCHAR,
          "window_start" TIMESTAMP WITH TIME ZONE,
          "window_end" TIMESTAMP WITH TIME ZONE,
          "run_id" VARCHAR
        )
        CREATE TABLE "marketing"."score_batch_ledger" (
          "entry_number" BIGINT,
          "recorded_at" TIMESTAMP WITH TIME ZONE,
          "run_id" VARCHAR,
          "job" VARCHAR,
          "window_label" VARCHAR,
          "window_start" TIMESTAMP WITH TIME ZONE,
          "window_end" TIMESTAMP WITH TIME ZONE,
          "window_kind" VARCHAR,
          "state" VARCHAR,
          "publication" BIGINT,
          "fingerprint" VARCHAR,
          "model_name" VARCHAR,
          "model_version" VARCHAR,
          "model_digest" VARCHAR,
          "rows_frozen" BIGINT,
          "rows_scored" BIGINT,
          "rows_quarantined" BIGINT,
          "host" VARCHAR,
          "details" VARCHAR
        )

    linear 1997-W11: 1997-03-10 00:00 to 1997-03-17 00:00 (week, America/New_York)
      source    duckdb:data/warehouse.duckdb
      sink      duckdb:data/warehouse.duckdb
      model     linear 1, sha256 e147a59d862d…, on cpu
      provider  cpu, ONNX Runtime 1.30.0
      rows      100, scored as the query returns them
      tables    marketing.scores, marketing.scores_quarantine, marketing.report, marketing.summary, marketing.score_batch_ledger
      report    <project>/reports/linear-1997-W11.csv
      supersedes  nothing
      gates     min_rows 1, max_quarantine_rate 0.01, psi_min_rows 500, on_evaluation warn
      features  a (DOUBLE → float32), b (DOUBLE → float32)
      values    :window_start_date = 1997-03-10, :window_end_date = 1997-03-17

    select user_id, a, b, country from users where signup >= :window_start_date and signup < :window_end_date"
  `);
  const { code, stdout, stderr } = await scoreBatch(folder, ['plan', '--week', '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({
    job: 'linear',
    job_file: path.join(folder, 'jobs/job.yaml'),
    window: { label: '1997-W11', kind: 'week', start: '1997-03-10T05:00:00.000Z', zone: 'America/New_York' },
    parameters: { window_start_date: '1997-03-10', window_end_date: '1997-03-17' },
    rows: 100,
    freezes: false,
    chunks: 1,
    model: { name: 'linear', provider: 'cpu' },
    report: [path.join(folder, 'reports/linear-1997-W11.csv')],
    supersedes: null,
    resumes: null,
    gates: { min_rows: 1, max_quarantine_rate: 0.01 },
  });
  expect(await publishedTables(folder)).toEqual([]);
  expect(existsSync(`${warehouseOf(folder)}.scratch`)).toBe(false);
  expect(existsSync(path.join(folder, 'reports'))).toBe(false);
});

it('says where rows are frozen first', async () => {
  const folder = await linearProject({ edit: (job) => job.replace('source:\n', 'source:\n  freeze: always\n') });
  const { stdout } = await scoreBatch(folder, ['plan', '--week']);
  expect(stdout).toContain('\n  rows      100, frozen in 10 chunks\n');
  const { freezes, chunks } = JSON.parse((await scoreBatch(folder, ['plan', '--week', '--json'])).stdout);
  expect([freezes, chunks]).toEqual([true, 10]);
});

it('names the publication that would be replaced, and leaves it', async () => {
  const folder = await linearProject();
  await scoreBatch(folder, ['--week']);
  const before = await publishedRows(folder);
  const [run] = await rowsOf(folder, 'select distinct run_id from marketing.scores');
  const { stdout } = await scoreBatch(folder, ['plan', '--week', '--json']);
  expect(JSON.parse(stdout).supersedes).toEqual({
    run_id: run?.run_id,
    rows: { frozen: 100, scored: 100, quarantined: 0 },
  });
  expect(await publishedRows(folder)).toEqual(before);
});

it('plans an hour for a query of instants', async () => {
  const folder = await linearProject({
    query: 'select user_id, a, b, country from users where signed_up >= :window_start and signed_up < :window_end',
  });
  await statements(warehouseOf(folder), [
    "alter table users add column signed_up timestamptz default timestamptz '1997-03-10 14:59:59.999999+00'",
    "update users set signed_up = timestamptz '1997-03-10 15:00:00+00' where user_id < 4",
  ]);
  const { code, stdout } = await scoreBatch(folder, ['plan', '--hour', '1997-03-10T09', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    window: { label: '1997-03-10T09', kind: 'hour', start: '1997-03-10T14:00:00.000Z', end: '1997-03-10T15:00:00.000Z' },
    rows: 96,
    tables: ['marketing.scores', 'marketing.scores_quarantine', 'marketing.score_batch_ledger'],
  });
});

it('refuses what a run would refuse', async () => {
  const folder = await linearProject({ model: 'rank3' });
  expect((await scoreBatch(folder, ['plan', '--week'])).code).toBe(78);
  expect((await scoreBatch(folder, ['plan', '--week', '1997-W12'])).code).toBe(64);
});
