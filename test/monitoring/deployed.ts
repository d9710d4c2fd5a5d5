import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { repository } from '../support/project.ts';

interface Target {
  readonly expr: string;
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly Target[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
}

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

export const RULES = repository('deploy/prometheus/score-batch.rules.yaml');
export const DASHBOARD = repository('deploy/grafana/score-batch.json');

/** The queries of the dashboard by panel, with values for Grafana's variables. */
export async function dashboardQueries(): Promise<{ readonly panel: string; readonly query: string }[]> {
  const { panels } = JSON.parse(await readFile(DASHBOARD, 'utf8')) as Dashboard;
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      panel: title,
      query: expr.replaceAll('$__rate_interval', '5m').replaceAll('$job_name', '.+'),
    })),
  );
}

/** The alerts and their queries. */
export async function alerts(): Promise<{ readonly alert: string; readonly expr: string }[]> {
  const { groups } = parse(await readFile(RULES, 'utf8')) as RuleFile;
  return groups.flatMap(({ rules }) => rules);
}
