import { expect, it } from 'vitest';
import { scoreBatch } from '../support/score-batch.ts';
import { change, sliceProject } from '../support/slice-project.ts';
import { failedSlice, sliced } from '../support/sliced.ts';
import { withPlaceholders } from '../support/transcript.ts';

const NOW = { SCORE_BATCH_NOW: '1997-03-10T23:05:00Z' };

/** The text of status with the times of this machine replaced. */
async function status(folder: string, ...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await scoreBatch(folder, ['status', '--slices', ...flags], NOW);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return withPlaceholders(stdout, folder)
    .replaceAll(/ \d+\.\d {2}<id>/g, ' <s>  <id>')
    .replaceAll(/ +<s>/g, ' <s>');
}

it('shows where the slices have come to, and what each of them did', async () => {
  const folder = await sliceProject();
  expect(await status(folder)).toBe(
    'linear has no slice yet: the ledger in duckdb:data/warehouse.duckdb has no entry of one\n',
  );
  await sliced(folder);
  await change(
    folder,
    "insert into users values (200, timestamp '1997-03-10 22:00', 0.5, 0, 'FR', timestamp '1997-03-10 22:00')",
  );
  await sliced(folder);
  await change(folder, "insert into users values (201, timestamp '1997-03-10 22:10', 1, 1, 'US', null)");
  expect((await failedSlice(folder)).code).toBe(65);
  await change(
    folder,
    "update users set loaded_at = timestamp '1997-03-10 22:30', a = 1000 where user_id < 5 or user_id = 201",
  );
  expect((await failedSlice(folder)).code).toBe(65);
  expect(await status(folder)).toMatchInlineSnapshot();
  const { incremental, ...rest } = JSON.parse((await scoreBatch(folder, ['status', '--slices', '--json'], NOW)).stdout);
  expect(rest).toMatchObject({ job: 'linear', runs: [], missing: [] });
  expect(incremental).toMatchObject({
    table: 'marketing.current',
    position: { number: 2, as_of: '1997-03-10T22:00:00.000001Z', age_seconds: 3900, users: 101, other_model: 0 },
    shadow: null,
    slices: [
      { number: 1, kind: 'snapshot', changed_keys: null, scored: 100, current: false, error: null },
      { number: 2, kind: 'changes', changed_keys: 3, scored: 1, unchanged: 2, deleted: 0, current: true },
      { number: null, state: 'refused', scored: null, current: false, error: expect.stringContaining('gate') },
    ],
  });
  expect(
    (await status(folder, '--limit', '1')).split('\n').filter((line) => /^ *\d* +(completed|refused)/.test(line)),
  ).toHaveLength(1);
});

it('takes no flags of windows', async () => {
  const folder = await sliceProject();
  const { code, stderr } = await scoreBatch(folder, ['status', '--slices', '--state', 'failed']);
  expect({ code, stderr }).toEqual({ code: 64, stderr: expect.stringContaining('--state cannot be combined with --slices') });
});
