import path from 'node:path';
import { type LinearOptions, linearProject } from '../support/linear-project.ts';
import { query, statements } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';

export const WEBHOOK = `
  webhook: { url_env: CHURN_WEBHOOK_URL }`;
export const MAIL = `
  mail:
    smtp_env: CHURN_SMTP_URL
    from: Scores <scores@shop.example>
    to: [Marketing <marketing@shop.example>, boss@shop.example]
    cc: [data@shop.example]`;
export const LINK = `
  link: https://reports.shop.example/linear-{window}.html`;

/** Two weeks of users: 1997-W10 and 1997-W11. */
const TWO_WEEKS = `
  select i as user_id, date '1997-03-03' + cast(i % 14 as integer) as signup,
    (i % 20) / 10.0 as a, (i % 13) / 10.0 as b, ['US', 'DE', 'R&D <emea>'][1 + i % 3] as country
  from range(200) as users(i)`;

/** A job with a report page that tells these targets. */
export function deliveringProject(delivery: string, { users = TWO_WEEKS, edit = (job) => job, ...rest }: LinearOptions = {}) {
  return linearProject({
    ...rest,
    users,
    edit: (job) => edit(job.replace('  csv:', '  page: reports/linear-{window}.html\n  csv:').concat(`delivery:${delivery}\n`)),
  });
}

interface Entry {
  readonly state: string;
  readonly run_id: string;
  readonly publication: string | null;
  readonly details: Record<string, unknown>;
  readonly text: string;
}

export async function entries(folder: string, states?: readonly string[]): Promise<Entry[]> {
  const rows = await query(
    path.join(folder, 'data/warehouse.duckdb'),
    'select *, entries::text as line from marketing.score_batch_ledger entries order by entry_number',
  );
  return rows
    .map((row) => ({
      state: String(row.state),
      run_id: String(row.run_id),
      publication: row.publication === null ? null : String(row.publication),
      details: JSON.parse(String(row.details)),
      text: String(row.line),
    }))
    .filter(({ state }) => states === undefined || states.includes(state));
}

/** States of entries about messages, with what became of them. */
export async function messages(folder: string): Promise<unknown[]> {
  const found = await entries(folder, ['delivering', 'delivered', 'undelivered']);
  return found.map(({ state, details }) => {
    const { publication, target, outcome, status } = details.delivery as Record<string, unknown>;
    return [state, publication, target, outcome ?? null, status ?? null];
  });
}

/** Halves a feature of every user, so that the scores of the next publication differ. */
export async function otherScores(folder: string): Promise<void> {
  await statements(path.join(folder, 'data/warehouse.duckdb'), ['update users set a = a / 2']);
}

export async function deliveries(folder: string, environment: NodeJS.ProcessEnv = {}) {
  const { stdout, stderr, code } = await scoreBatch(folder, ['status', '--json'], environment);
  if (code !== 0) throw new Error(stderr);
  const { runs } = JSON.parse(stdout) as { runs: { window: string; deliveries: Record<string, unknown>[] }[] };
  return runs.flatMap(({ window, deliveries: of }) =>
    of.map(({ publication, target, occasion, outcome }) => [window, publication, target, occasion, outcome]),
  );
}
