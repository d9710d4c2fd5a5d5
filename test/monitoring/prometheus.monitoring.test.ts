import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { labelsOf, type Metric, textOf } from '../../src/metrics-file/metrics.ts';
import { linearProject } from '../support/linear-project.ts';
import { readPage } from '../support/markdown.ts';
import { repository, temporaryFolder } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { alerts, dashboardQueries, RULES } from './deployed.ts';
import { promtool } from './promtool.ts';

it('promtool takes the metrics file of a run, and any text as a label', async () => {
  const file = path.join(await temporaryFolder(), '{job}.prom');
  const { code, stderr } = await scoreBatch(await linearProject(), ['run', '--week'], { SCORE_BATCH_METRICS_FILE: file });
  expect(code, stderr).toBe(0);
  // It prints what is wrong or unusual.
  expect(await promtool(['check', 'metrics'], await readFile(file.replace('{job}', 'linear'), 'utf8'))).toBe('');
  const labels = labelsOf('linear', { model: 'a "b" \\ c\nd', version: 'é{},=', digest: '' });
  const odd = new Map<Metric, Map<string, number>>([['score_batch_model_info', new Map([[labels, 1]])]]);
  expect(await promtool(['check', 'metrics'], textOf(odd))).toBe('');
  await expect(promtool(['check', 'metrics'], textOf(odd).replace('} 1', '} one'))).rejects.toThrow(/expected float/);
});

it('promtool takes the rules, and each alert fires when it should and is silent otherwise', async () => {
  expect(await promtool(['check', 'rules', RULES])).toContain(`${(await alerts()).length} rules found`);
  const tests = ['rules', 'weeks'].map((name) => repository(`test/monitoring/score-batch.${name}-test.yaml`));
  expect(await promtool(['test', 'rules', ...tests])).toContain('SUCCESS');
  const tried = (await Promise.all(tests.map((file) => readFile(file, 'utf8')))).join('\n');
  expect((await alerts()).map(({ alert }) => alert).filter((alert) => !tried.includes(`alertname: ${alert}`))).toEqual([]);
});

it('the rule for a job that has never published fires after its time, until there is a window', async () => {
  const [block, ...more] = readPage('docs/observability.md').blocks.filter(({ info }) => info === 'yaml prometheus');
  expect(more).toEqual([]);
  const folder = await temporaryFolder();
  await writeFile(path.join(folder, 'expected.yaml'), block?.text ?? '');
  expect(await promtool(['check', 'rules', path.join(folder, 'expected.yaml')])).toContain('1 rules found');
  const annotations = { summary: 'No window of churn has ever been published, or its metrics are gone' };
  const fired = [{ exp_labels: { severity: 'critical', job_name: 'churn' }, exp_annotations: annotations }];
  const window = (job: string) => `score_batch_newest_window_end_timestamp_seconds{job_name="${job}", instance="a"}`;
  const input = [
    { series: window('other'), values: '0x300' },
    { series: window('churn'), values: '_x200 0x100' },
  ];
  const looks = (
    [
      ['191h', []],
      ['193h', fired],
      ['210h', []],
    ] as const
  ).map(([eval_time, exp_alerts]) => ({
    eval_time,
    alertname: 'ScoreBatchNothingPublished',
    exp_alerts,
  }));
  const tests = [{ interval: '1h', input_series: input, alert_rule_test: looks }];
  const file = path.join(folder, 'expected-test.yaml');
  await writeFile(file, stringify({ rule_files: ['expected.yaml'], evaluation_interval: '1h', tests }));
  expect(await promtool(['test', 'rules', file])).toContain('SUCCESS');
});

it('promtool understands every query of the dashboard', async () => {
  const file = path.join(await temporaryFolder(), 'queries.yaml');
  const queries = await dashboardQueries();
  const rules = queries.map(({ query }, i) => ({ record: `panel:query:${i}`, expr: query }));
  await writeFile(file, stringify({ groups: [{ name: 'queries', rules }] }));
  expect(await promtool(['check', 'rules', file])).toContain(`${queries.length} rules found`);
});

it('the dashboard shows of a job that has run on two hosts what the last one says', async () => {
  const hosts = [
    { instance: 'a', time: 600, state: 'failed', quarantined: 10, model: '1' },
    { instance: 'b', time: 1200, state: 'published', quarantined: 1, model: '2' },
  ];
  const series = hosts.flatMap(({ instance, time, state, quarantined, model }) =>
    (
      [
        ['last_run_timestamp_seconds', '', time],
        ['last_success_timestamp_seconds', '', time],
        ['newest_window_end_timestamp_seconds', '', time],
        ['last_run_state', `state="${state}"`, 1],
        ['last_run_rows', 'outcome="scored"', 100 - quarantined],
        ['last_run_rows', 'outcome="quarantined"', quarantined],
        ['last_run_stage_seconds', 'stage="score"', time / 10],
        ['model_info', `model="churn", version="${model}", digest="d"`, 1],
      ] as const
    ).map(([name, labels, value]) => ({
      series: `score_batch_${name}{job_name="churn", instance="${instance}", ${labels}}`.replace(', }', '}'),
      values: `${value}x60`,
    })),
  );
  const expected: Record<string, readonly (readonly [labels: string, value: number])[]> = {
    'Last success': [['', 1800]],
    'Age of the newest window': [['', 1800]],
    'Last run': [['state="published"', 1]],
    'In quarantine': [['', 0.01]],
    'Time by stage': [['stage="score"', 120]],
    Rows: [
      ['outcome="scored"', 99],
      ['outcome="quarantined"', 1],
    ],
    Models: [['model="churn", version="2", digest="d"', 1]],
  };
  const queries = (await dashboardQueries()).filter(({ panel, query }) => panel in expected && !query.includes('_serve_'));
  expect(queries.map(({ panel }) => panel)).toEqual(Object.keys(expected));
  const looks = queries.map(({ panel, query }) => ({
    expr: query,
    eval_time: '50m',
    exp_samples: expected[panel]?.map(([labels, value]) => ({
      labels: `{job_name="churn", ${labels}}`.replace(', }', '}'),
      value,
    })),
  }));
  const file = path.join(await temporaryFolder(), 'dashboard-test.yaml');
  await writeFile(file, stringify({ tests: [{ interval: '1m', input_series: series, promql_expr_test: looks }] }));
  expect(await promtool(['test', 'rules', file])).toContain('SUCCESS');
});
