import path from 'node:path';
import { expect, it } from 'vitest';
import { challengerProject } from './support/challenger-project.ts';
import { query } from './support/project.ts';
import { scoreBatch } from './support/score-batch.ts';
import { WAREHOUSE } from './support/steer.ts';

it('try', async () => {
  const folder = await challengerProject();
  const { code, stdout, stderr } = await scoreBatch(folder, ['--week', '--json']);
  console.log(code, stderr, stdout);
  console.log(await query(path.join(folder, WAREHOUSE), 'select job, run_id, state, publication, model_version, details from marketing.score_batch_ledger'));
  expect(code).toBe(0);
});
