import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { scoreBatch } from '../support/score-batch.ts';

it('refuses to break a summary down by floats, which no two users need share and warehouses write in their own ways', async () => {
  const folder = await linearProject({
    query:
      'select user_id, cast(a as double) as a, b, country from users where signup >= :window_start_date and signup < :window_end_date',
    edit: (job) => job.replace('keep: [country]', 'keep: [country, a]').replace('segments: [country]', 'segments: [a]'),
  });
  const { code, stderr } = await scoreBatch(folder, ['plan', '--week']);
  expect(stderr).toMatch(/^error: the segment a is DOUBLE.*\n {2}job .*\nhint: cast it/);
  expect(code).toBe(78);
});
