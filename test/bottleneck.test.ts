import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { bottleneck } from '../src/domain/speed.ts';
import { linearProject } from './support/linear-project.ts';
import { scoreBatchProcess } from './support/score-batch.ts';

// Where the seconds of a real process go. Steps wait rather than compute, and a test only says how long a step took at least:
// that holds on any machine. Which step is named for which seconds: test/domain/speed.test.ts. Waiting for a network:
// test/across/bottleneck.test.ts.

const ROWS = 100;
const BATCHES = 10;
const SLOW_MS = 100;

async function summaryOf(step: 'model' | 'query', freeze: 'always' | 'never', slow = SLOW_MS) {
  const folder = await linearProject({
    edit: (job) =>
      job
        .replace('source:\n', `source:\n  freeze: ${freeze}\n`)
        .replace('chunk_rows: 10', freeze === 'always' ? 'chunk_rows: 10' : 'batch_rows: 10'),
  });
  const { code, stdout, stderr } = await scoreBatchProcess(folder, ['--week', '--json', '--workers', '1'], {
    NODE_OPTIONS: `--import ${fileURLToPath(new URL('support/slow-step.mjs', import.meta.url))}`,
    SLOW_STEP: step,
    SLOW_MS: String(slow),
  });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** Seconds that a step took which waited that often. A timer may fire a millisecond early. */
const waited = (times: number, slow = SLOW_MS): number => (times * (slow - 1)) / 1000;

/** The summary is of one whole: parts are within their stage, rates follow from seconds, and the bottleneck from both. */
function expectConsistent(summary: Awaited<ReturnType<typeof summaryOf>>) {
  const { seconds, workers, rows_per_second: rates } = summary;
  expect(workers).toMatchObject({ workers: 1, rows: ROWS });
  const spent = Object.values<number>(workers.seconds).reduce((sum, part) => sum + part, 0);
  expect(spent).toBeLessThanOrEqual(workers.workers * seconds.score * 1.0001);
  expect(workers.main_thread).toBeLessThanOrEqual(seconds.score * 1.0001);
  expect(rates.model).toBeGreaterThanOrEqual(rates.score);
  expect(rates.score).toBeGreaterThanOrEqual(rates.run);
  expect(summary.bottleneck).toBe(bottleneck(seconds, workers));
}

it.each(['always', 'never'] as const)('time in the model counts as time of the model, with freeze: %s', async (freeze) => {
  const summary = await summaryOf('model', freeze);
  // Workers ran it: the main thread never waits for it.
  expect(summary.workers.seconds.model).toBeGreaterThanOrEqual(waited(BATCHES));
  expectConsistent(summary);
});

it('time in the query counts as time of the query', async () => {
  const summary = await summaryOf('query', 'always');
  expect(summary.seconds.freeze).toBeGreaterThanOrEqual(waited(1));
  expectConsistent(summary);
});

it('time in the query counts as reading, where rows are scored on their way out of it', async () => {
  // Workers start while it begins.
  const summary = await summaryOf('query', 'never', 2_000);
  const { start, read } = summary.workers.seconds;
  expect(start + read).toBeGreaterThanOrEqual(waited(1, 2_000));
  expectConsistent(summary);
});
