import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { labelsOf, type Metric, textOf } from '../../src/metrics-file/metrics.ts';
import { linearProject } from '../support/linear-project.ts';
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

it('promtool understands every query of the dashboard', async () => {
  const file = path.join(await temporaryFolder(), 'queries.yaml');
  const queries = await dashboardQueries();
  const rules = queries.map(({ query }, i) => ({ record: `panel:query:${i}`, expr: query }));
  await writeFile(file, stringify({ groups: [{ name: 'queries', rules }] }));
  expect(await promtool(['check', 'rules', file])).toContain(`${queries.length} rules found`);
});
