import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { type Plan, startFaultProxy } from '../support/fault-proxy.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { bigquery, EMPTY, FILL, missing, replaced, snowflake, weekEnvironment, weeklyProject } from './week.ts';

// Jobs that wait for a network by far longer than for anything else.

/** More than any other request takes, on a machine that is busy. */
const SLOW_MS = 8_000;
const CHUNKS = 4;

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

it('a source that is slow to read is the bottleneck', async ({ skip }) => {
  skip(missing.snowflake, 'the emulator is not there');
  const { plan, count } = slow(/SELECT .* FROM \S*FROZEN\S* WHERE/i);
  const proxy = await startFaultProxy(snowflake?.url ?? '', plan);
  onTestFinished(proxy.close);
  const { bottleneck, workers, seconds } = await summaryOf(await FILL.snowflake(), await EMPTY.duckdb(), {
    SNOWFLAKE_ACCESS_URL: proxy.url,
  });
  expect(count()).toBeGreaterThanOrEqual(CHUNKS);
  expect(bottleneck).toMatch(/^reading \(read \d/);
  expect(workers.seconds.read).toBeGreaterThan((CHUNKS * SLOW_MS) / 1000);
  // The time on the clock is told once.
  expect(seconds.score).toBeGreaterThanOrEqual(workers.seconds.read);
});

it('a sink that is slow to take files is the bottleneck', async ({ skip }) => {
  skip(missing.bigquery, 'the emulator is not there');
  const { plan, count } = slow(/^POST \/upload/);
  const proxy = await startFaultProxy(bigquery?.rest ?? '', plan);
  onTestFinished(proxy.close);
  const { bottleneck, workers } = await summaryOf(await FILL.duckdb(), await EMPTY.bigquery(), {
    BIGQUERY_EMULATOR_HOST: proxy.url,
  });
  expect(count()).toBe(CHUNKS);
  expect(bottleneck).toMatch(/^writing \(stage \d/);
  expect(workers.seconds.stage).toBeGreaterThan((CHUNKS * SLOW_MS) / 1000);
});
