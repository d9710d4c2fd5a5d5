import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { REASON, refusedRun } from '../support/refused-run.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { runBigquery, runSnowflake } from './shop.ts';
import {
  bigquery,
  expectedCsv,
  FILL,
  leftInScratch,
  missing,
  replaced,
  snowflake,
  weekEnvironment,
  weeklyProject,
} from './week.ts';

// A run that gates refuse, looked at with the queries of its hint and accepted with its command, within each remote warehouse.

const RUN_SQL = {
  bigquery: async (url: string, sql: string) => (bigquery ? await runBigquery(bigquery, new URL(url).hostname, sql) : []),
  snowflake: async (url: string, sql: string) =>
    snowflake ? await runSnowflake(snowflake, new URL(url).pathname.split('/')[1] ?? '', [sql]) : [],
};

it.for(['bigquery', 'snowflake'] as const)('a refused run is looked at and accepted within %s', async (kind, { skip }) => {
  skip(missing[kind], 'the emulator is not there');
  const url = await FILL[kind]();
  const environment = weekEnvironment(url, url);
  const folder = await weeklyProject({
    edit: (job) =>
      replaced(
        replaced(job, 'min_rows: 100\n', 'min_rows: 10000\n'),
        'max_score_psi: 0.25',
        'max_score_psi: 0.0000001\n  max_feature_psi: 0.0000001',
      ),
  });
  const refused = refusedRun(await scoreBatch(folder, ['--week'], environment));
  expect(refused.gates).toEqual(['min_rows', 'max_score_psi', 'max_feature_psi']);
  expect([...new Set(refused.looks.map(({ gate }) => gate))]).toEqual(refused.gates);
  for (const { warehouse, sql } of refused.looks) {
    // The password of the emulator is snow, which is masked.
    expect([kind, kind.replace('snow', '[secret]')]).toContain(warehouse);
    expect((await RUN_SQL[kind](url, sql)).length, sql).toBeGreaterThan(0);
  }
  const command = ['publish', '--run', refused.runId, '--accept', 'drift,min_rows', '--reason', REASON, '--json'];
  const accepted = await scoreBatch(folder, command, environment);
  expect(accepted.code, accepted.stderr).toBe(0);
  expect(JSON.parse(accepted.stdout)).toMatchObject({
    state: 'published',
    rows: { frozen: 2053, scored: 2053, quarantined: 0 },
    accepted: { gates: refused.gates, reason: REASON, user: expect.stringMatching(/./) },
  });
  expect(await readFile(path.join(folder, 'reports', 'churn-1997-W11.csv'), 'utf8')).toBe(await expectedCsv());
  expect(await leftInScratch(url)).toEqual([]);
});
