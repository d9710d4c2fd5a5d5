import { describe, expect, it } from 'vitest';
import { cuttingProxy, type Fault, type FaultyProxy, faultyProxy } from '../support/faulty-proxy.ts';
import { bigquery, expectedCsv, FILL, missing, snowflake, startWeek, type Week, weeklyProject, weekOf } from './week.ts';

// A connection that breaks once, in each stage. The run may survive it or end with 69 ("retry"); the same command then ends
// well, and either way the week is published once, whole, with the bytes that an undisturbed run gives.

/** Which request breaks, by what it says. */
const STAGES: Readonly<Record<'bigquery' | 'snowflake', Readonly<Record<string, RegExp>>>> = {
  bigquery: {
    plan: /"dryRun":\s*true/,
    freeze: /CREATE TABLE.*score_batch_frozen/,
    stage: /^POST \/upload/,
    reconcile: /SELECT.*score_batch_staged.*GROUP BY chunk/,
    publish: /BEGIN TRANSACTION.*INSERT INTO.*churn_scores/,
  },
  snowflake: {
    plan: /"describeOnly":\s*true/,
    freeze: /CREATE TRANSIENT TABLE.*SCORE_BATCH_FROZEN/,
    stage: /"sqlText":\s*"PUT /i,
    reconcile: /COPY INTO/,
    publish: /INSERT INTO.*CHURN_SCORES/,
    commit: /"sqlText":\s*"COMMIT/i,
  },
};

async function surviving(kind: 'bigquery' | 'snowflake', proxy: FaultyProxy, environment: NodeJS.ProcessEnv): Promise<Week> {
  const url = await FILL[kind]();
  const folder = await weeklyProject();
  const first = await startWeek(folder, url, url, environment);
  expect(proxy.broke()).toBe(true);
  expect([0, 69], first.stderr).toContain(first.code);
  if (first.code !== 0) {
    const second = await startWeek(folder, url, url);
    expect(second.code, second.stderr).toBe(0);
  }
  return await weekOf(folder, url, url);
}

async function expectWhole({ csv, runs }: Week): Promise<void> {
  expect(csv).toBe(await expectedCsv());
  expect(runs.map(({ state, current, rows }) => ({ state, current, rows }))).toEqual([
    { state: 'completed', current: true, rows: { frozen: 2053, scored: 2053, quarantined: 0 } },
  ]);
}

const faults = (kind: 'bigquery' | 'snowflake'): [stage: string, lost: Fault['lost'], when: RegExp][] =>
  Object.entries(STAGES[kind]).flatMap(([stage, when]) => [
    [stage, 'request', when],
    [stage, 'answer', when],
  ]);

// Without an emulator; the last line of the output says why there is none.
describe.skipIf(missing.bigquery)('BigQuery', () => {
  it.each(faults('bigquery'))('%s: the %s is lost', async (_stage, lost, when) => {
    const proxy = await faultyProxy(bigquery?.rest ?? '', { lost, when });
    await expectWhole(await surviving('bigquery', proxy, { BIGQUERY_EMULATOR_HOST: proxy.url }));
  });

  it('read: the connection breaks in the middle of the rows', async () => {
    const proxy = await cuttingProxy(bigquery?.grpc ?? '', 20_000);
    await expectWhole(await surviving('bigquery', proxy, { BIGQUERY_STORAGE_EMULATOR_HOST: proxy.url }));
  });
});

// Without an emulator; the last line of the output says why there is none.
describe.skipIf(missing.snowflake)('Snowflake', () => {
  it.each(faults('snowflake'))('%s: the %s is lost', async (_stage, lost, when) => {
    const proxy = await faultyProxy(snowflake?.url ?? '', { lost, when });
    await expectWhole(await surviving('snowflake', proxy, { SNOWFLAKE_ACCESS_URL: proxy.url }));
  });

  it('read: the answer with the rows is lost', async () => {
    const proxy = await faultyProxy(snowflake?.url ?? '', {
      lost: 'answer',
      when: /SCORE_BATCH_FROZEN.*WHERE score_batch_bucket/,
    });
    await expectWhole(await surviving('snowflake', proxy, { SNOWFLAKE_ACCESS_URL: proxy.url }));
  });
});
