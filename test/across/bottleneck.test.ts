import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { bottleneck } from '../../src/domain/speed.ts';
import { type Plan, startFaultProxy } from '../support/fault-proxy.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { bigquery, EMPTY, FILL, missing, replaced, snowflake, weekEnvironment, weeklyProject } from './week.ts';

// Where the seconds of waiting for a network go. A test only says how long a step took at least, which holds on any machine;
// which step is named for which seconds: test/domain/speed.test.ts.

const SLOW_MS = 1_000;
const CHUNKS = 4;
/** Seconds; a timer may fire a millisecond early. */
const WAITED = (CHUNKS * (SLOW_MS - 1)) / 1000;

/** Every request that matches takes long. */
function slow(when: RegExp): { plan: Plan; count: () => number } {
  let matched = 0;
  const plan: Plan = async (text) => {
    if (!when.test(text)) return undefined;
    matched += 1;
    await sleep(SLOW_MS);
    return undefined;
  };
  return { plan, count: () => matched };
}

async function summaryOf(source: string, sink: string, environment: NodeJS.ProcessEnv) {
  const folder = await weeklyProject({
    edit: (job) => replaced(job, 'score:\n', `score:\n  chunk_rows: ${Math.ceil(2053 / CHUNKS)}\n  workers: 1\n`),
  });
  const { code, stdout, stderr } = await scoreBatch(folder, ['--week', '--json'], {
    ...weekEnvironment(source, sink),
    ...environment,
  });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

it('waiting for a slow source counts as reading', async ({ skip }) => {
  skip(missing.snowflake, 'the emulator is not there');
  const { plan, count } = slow(/SELECT .* FROM \S*FROZEN\S* WHERE/i);
  const proxy = await startFaultProxy(snowflake?.url ?? '', plan);
  onTestFinished(proxy.close);
  const summary = await summaryOf(await FILL.snowflake(), await EMPTY.duckdb(), {
    SNOWFLAKE_ACCESS_URL: proxy.url,
  });
  expect(count()).toBeGreaterThanOrEqual(CHUNKS);
  const { workers, seconds } = summary;
  expect(workers.seconds.read).toBeGreaterThanOrEqual(WAITED);
  // The time on the clock is told once.
  expect(seconds.score).toBeGreaterThanOrEqual(workers.seconds.read);
  expect(summary.bottleneck).toBe(bottleneck(seconds, workers));
});

it('waiting for a sink that is slow to take files counts as staging', async ({ skip }) => {
  skip(missing.bigquery, 'the emulator is not there');
  const { plan, count } = slow(/^POST \/upload/);
  const proxy = await startFaultProxy(bigquery?.rest ?? '', plan);
  onTestFinished(proxy.close);
  const { workers } = await summaryOf(await FILL.duckdb(), await EMPTY.bigquery(), {
    BIGQUERY_EMULATOR_HOST: proxy.url,
  });
  expect(count()).toBe(CHUNKS);
  expect(workers.seconds.stage).toBeGreaterThanOrEqual(WAITED);
});
