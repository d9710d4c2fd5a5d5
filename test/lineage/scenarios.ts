import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import type { RunEvent } from '../../src/lineage/facets.ts';
import { lineageServer } from '../support/lineage-server.ts';
import { LINEAR_QUERY, LINEAR_USERS, linearProject } from '../support/linear-project.ts';
import { makeProject, repository, statements } from '../support/project.ts';
import { type Outcome, scoreBatch, startScoreBatch } from '../support/score-batch.ts';
import { sliceProject } from '../support/slice-project.ts';

/** Real runs on DuckDB, each with the events that a server of lineage received of it. */
export interface Told {
  readonly folder: string;
  readonly outcomes: readonly Outcome[];
  readonly events: readonly RunEvent[];
}

const WEEK = ['--week'];
export const PARENT = { namespace: 'airflow', name: 'weekly.score', runId: '3f5e83fa-3480-44ff-99c5-ff943904e5e8' };

interface Call {
  readonly args: readonly string[];
  readonly code: number;
  readonly environment?: NodeJS.ProcessEnv;
}

async function told(folder: string, calls: readonly Call[]): Promise<Told> {
  const server = await lineageServer();
  const outcomes: Outcome[] = [];
  for (const { args, code, environment } of calls) {
    const outcome = await scoreBatch(folder, args, { OPENLINEAGE_URL: server.url, ...environment });
    expect(outcome.code, outcome.stderr).toBe(code);
    expect(outcome.stderr).not.toContain('lineage');
    outcomes.push(outcome);
  }
  return { folder, outcomes, events: server.events() };
}

const EVERY_FILE = (job: string): string =>
  job.replace(
    'csv: reports/linear-{window}.csv',
    'csv: reports/linear-{window}.csv\n  parquet: reports/linear-{window}.parquet\n  page: reports/linear-{window}.html',
  );

/** A value that no event may have. */
export const CANARY = 'jo@example.com';

/** Ended by a signal while the model scores, then run again to the end. */
async function ended(signal: 'SIGKILL' | 'SIGTERM'): Promise<Told> {
  const folder = await linearProject({ edit: (job) => job.replace('source:\n', 'source:\n  freeze: always\n') });
  const server = await lineageServer();
  const go = path.join(folder, 'go');
  const first = startScoreBatch(folder, WEEK, {
    OPENLINEAGE_URL: server.url,
    NODE_OPTIONS: `--import ${pathToFileURL(repository('test/support/slow-step.mjs'))}`,
    ...{ SLOW_STEP: 'model', SLOW_MS: '0', SLOW_UNTIL: go },
  });
  while (!existsSync(`${go}.reached`) || server.received.length === 0) await sleep(20);
  first.process.kill(signal);
  // What waits may end now.
  await writeFile(go, '');
  const outcome = await first.ended;
  const again = await scoreBatch(folder, WEEK, { OPENLINEAGE_URL: server.url });
  expect(again.code, again.stderr).toBe(0);
  return { folder, outcomes: [outcome, again], events: server.events() };
}

export const SCENARIOS = {
  async published() {
    const folder = await linearProject({ edit: EVERY_FILE });
    const environment = {
      OPENLINEAGE_NAMESPACE: 'marketing',
      OPENLINEAGE_PARENT_ID: `${PARENT.namespace}/${PARENT.name}/${PARENT.runId}`,
      OPENLINEAGE_ROOT_PARENT_ID: `airflow/weekly/${PARENT.runId}`,
    };
    return await told(folder, [
      { args: WEEK, code: 0, environment },
      // Nothing is left to do.
      { args: [...WEEK, '--skip-published'], code: 0, environment },
    ]);
  },
  async refused() {
    const folder = await linearProject({ edit: (job) => job.replace('min_rows: 1', 'min_rows: 1000') });
    return await told(folder, [{ args: WEEK, code: 65 }]);
  },
  async failed() {
    const query = LINEAR_QUERY.replace('a, b', `cast(case when user_id = 5 then country else '1' end as double) as a, b`);
    const folder = await linearProject({ query });
    const spoil = `update users set country = '${CANARY}' where user_id = 5`;
    await statements(path.join(folder, 'data/warehouse.duckdb'), [spoil]);
    return await told(folder, [{ args: WEEK, code: 78 }]);
  },
  async failedReport() {
    const folder = await linearProject({ files: { 'reports/linear-1997-W11.csv/in-the-way': '' } });
    return await told(folder, [{ args: [...WEEK, '--force'], code: 74 }]);
  },
  async empty() {
    const folder = await linearProject({ users: `select * from (${LINEAR_USERS}) where false` });
    return await told(folder, [
      { args: [...WEEK, '--skip-empty'], code: 99 },
      { args: [...WEEK, '--allow-empty'], code: 0 },
    ]);
  },
  async phases() {
    const folder = await linearProject();
    return await told(folder, [
      { args: ['freeze', ...WEEK], code: 0 },
      { args: ['score', ...WEEK], code: 0 },
      { args: ['publish', ...WEEK], code: 0 },
    ]);
  },
  async backfill() {
    const folder = await linearProject();
    await statements(path.join(folder, 'data/warehouse.duckdb'), [
      `insert into users select user_id + 1000, signup - 7, a, b, country from users`,
    ]);
    return await told(folder, [{ args: ['backfill', '--from', '1997-W10', '--to', '1997-W11'], code: 0 }]);
  },
  async slices() {
    return await told(await sliceProject(), [{ args: ['--slice'], code: 0 }]);
  },
  async accepted() {
    const folder = await linearProject({ edit: (job) => job.replace('min_rows: 1', 'min_rows: 1000') });
    const refused = await told(folder, [{ args: WEEK, code: 65 }]);
    const [run = ''] = /1997-W11-[0-9a-f]{12}/.exec(refused.outcomes[0]?.stderr ?? '') ?? [];
    const accept = ['publish', '--run', run, '--accept', 'min_rows', '--reason', 'a short week'];
    const accepted = await told(folder, [{ args: accept, code: 0 }]);
    return { folder, outcomes: accepted.outcomes, events: [...refused.events, ...accepted.events] };
  },
  killed: () => ended('SIGKILL'),
  interrupted: () => ended('SIGTERM'),
  async events() {
    const folder = await makeProject({
      warehouse: [
        `create table payments as select 'p' || i as payment_id, '7' as user_id, epoch_ms(timestamp '1997-03-16' + to_minutes(i)) as "at",
           i::bigint as amount, 0::bigint as kafka_partition, i::bigint as kafka_offset, epoch_ms(timestamp '1997-03-16') as kafka_timestamp
         from range(20) as t(i)`,
        `create table users as select '7' as user_id, 5 as age`,
      ],
      job: `name: payments
model: model
time_zone: UTC
every: day
source:
  warehouse: duckdb:data/warehouse.duckdb
  events: { features: jobs/f.yaml, table: payments, attributes: { table: users, key: user_id, columns: [age] } }
  key: [payment_id]
features: { a: amount_5m, b: age }
score: { column: propensity, chunk_rows: 10, providers: [cpu] }
sink: { table: marketing.scores }
`,
      model: repository('test', 'fixtures', 'models', 'linear'),
      files: {
        'jobs/f.yaml': `name: payments
as_of: arrival
key: user_id
id: payment_id
time: at
fields: { payment_id: string, user_id: string, at: int64, amount: int64 }
lateness: 5s
log: { partition: kafka_partition, offset: kafka_offset, timestamp: kafka_timestamp }
features:
  amount_5m: { sum: amount, window: 5m }
`,
      },
    });
    return await told(folder, [{ args: ['--job', 'job', '--date', '1997-03-16'], code: 0 }]);
  },
} satisfies Readonly<Record<string, () => Promise<Told>>>;
