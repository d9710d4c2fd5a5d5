import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { query, repository } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { EMPTY, FILL, leftInScratch, missing, replaced, startWeek, weekEnvironment, weeklyProject, weekOf } from './week.ts';

// Reasons, the holdout and `explain` on every kind of warehouse: the same users, texts and ranks.

const edit = (job: string) => replaced(job, 'report:\n', 'report:\n  holdout: 20%\n');
const PAIRS = [
  ['bigquery', 'snowflake'],
  ['snowflake', 'bigquery'],
] as const;

interface Explained {
  readonly run_id: string;
  readonly score: { readonly run_id: string; readonly rank: number; readonly reasons: readonly string[] };
  readonly reasons: readonly string[];
  readonly reasons_from: string;
}

async function explained(folder: string, environment: NodeJS.ProcessEnv, key: string): Promise<object> {
  const { code, stdout, stderr } = await scoreBatch(folder, ['explain', key, '--week', '--json'], environment);
  expect(code, stderr).toBe(0);
  const { run_id, score, ...rest } = JSON.parse(stdout) as Explained;
  expect(score.run_id).toBe(run_id);
  return { ...rest, score: { ...score, run_id: '' } };
}

/** The week within DuckDB: its report, a customer of the top and one below, and what is known of them. */
async function embedded() {
  const url = await FILL.duckdb();
  const folder = await weeklyProject({ edit });
  const environment = weekEnvironment(url, url);
  const run = await scoreBatch(folder, ['-q', '--week'], environment);
  expect(run.code, run.stderr).toBe(0);
  const users = await query(
    url.slice('duckdb:'.length),
    `select customer_id, rank, reason_1, holdout from marketing.churn_weekly_report where rank in (1, 1000) order by rank`,
  );
  const keys = users.map(({ customer_id }) => String(customer_id));
  const { csv } = await weekOf(folder, url, url);
  const held = await query(
    url.slice('duckdb:'.length),
    'select count(*) filter (holdout) / count(*) as share from marketing.churn_scores',
  );
  expect(Number(held[0]?.share)).toBeGreaterThan(0.17);
  expect(Number(held[0]?.share)).toBeLessThan(0.23);
  const found: object[] = [];
  for (const key of keys) found.push(await explained(folder, environment, key));
  return { csv, keys, users: found };
}

let running: ReturnType<typeof embedded> | undefined;

describe.each(PAIRS)('from %s to %s', (from, to) => {
  // Without an emulator there is no such warehouse; in CI that is a failure of the run.
  it.skipIf(missing[from] || missing[to])('the week has the same reasons and holds out the same users', async () => {
    running ??= embedded();
    const expected = await running;
    expect(expected.users).toMatchObject([
      { score: { rank: 1 }, reasons: [expect.any(String), expect.any(String), expect.any(String)] },
      { score: { rank: 1000, reasons: [] }, reasons: [expect.any(String), expect.anything(), expect.anything()] },
    ]);
    const [source, sink] = [await FILL[from](), await EMPTY[to]()];
    const environment = weekEnvironment(source, sink);
    const folder = await weeklyProject({ edit });
    const run = await scoreBatch(folder, ['-q', '--week'], environment);
    expect(run.code, run.stderr).toBe(0);
    expect((await weekOf(folder, source, sink)).csv).toBe(expected.csv);
    for (const [i, key] of expected.keys.entries())
      expect(await explained(folder, environment, key)).toEqual(expected.users[i]);
    expect((await scoreBatch(folder, ['explain', '-1', '--week'], environment)).code).toBe(64);
  });
});

describe.each(['bigquery', 'snowflake'] as const)('gc on %s', (to) => {
  // Without an emulator there is no such warehouse; in CI that is a failure of the run.
  it.skipIf(missing[to])('lists and drops a table of reasons that a killed run has left', async () => {
    const [source, sink] = [await FILL.duckdb(), await EMPTY[to]()];
    const folder = await weeklyProject();
    const environment = weekEnvironment(source, sink);
    const kill = async (pattern: string) => {
      const { signal, stderr } = await startWeek(folder, source, sink, {
        NODE_OPTIONS: `--import ${pathToFileURL(repository('test/crash/preload.mjs'))}`,
        CRASH_AT: JSON.stringify({ pattern, occurrence: 1, phase: 'after' }),
      });
      expect(signal, stderr).toBe('SIGKILL');
    };
    const ofReasons = async (...flags: string[]) => {
      const { code, stdout, stderr } = await scoreBatch(folder, ['gc', '--json', ...flags], environment);
      expect(code, stderr).toBe(0);
      const { left } = JSON.parse(stdout) as { left: { name: string; action: string; why: string }[] };
      return left
        .filter(({ name }) => /score_batch_reasons_/i.test(name))
        .map(({ action, why }) => [action, why.replace(/ until .*/, '')]);
    };
    await kill('^http POST \\S+ INSERT INTO \\S+(score_batch_reasons|SCORE_BATCH_REASONS)_');
    expect(await ofReasons()).toEqual([['keep', 'its run can be resumed']]);
    await kill('^open .*/reports/\\.');
    expect(await ofReasons()).toContainEqual(['drop', 'its run has published']);
    await ofReasons('--apply');
    expect((await leftInScratch(sink)).filter((name) => /reasons/i.test(name))).toEqual([]);
  });
});
