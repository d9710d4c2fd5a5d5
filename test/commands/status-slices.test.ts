import { expect, it } from 'vitest';
import { scoreBatch } from '../support/score-batch.ts';
import { change, INCREMENTAL, sliceProject } from '../support/slice-project.ts';
import { failedSlice, sliced } from '../support/sliced.ts';
import { withPlaceholders } from '../support/transcript.ts';

const NOW = { SCORE_BATCH_NOW: '1997-03-10T23:05:00Z' };

/** The text of status with the times of this machine replaced. */
async function status(folder: string, ...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await scoreBatch(folder, ['status', '--slices', ...flags], NOW);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return withPlaceholders(stdout, folder)
    .replaceAll(/current-[0-9a-f]{12}/g, '<run>')
    .replaceAll(/ \d+\.\d {2}<run>/g, ' <s>  <run>')
    .replaceAll(/ +<s>/g, ' <s>');
}

it('shows where the slices have come to, and what each of them did', async () => {
  const folder = await sliceProject();
  expect(await status(folder)).toBe(
    'linear has no slice yet: the ledger in duckdb:data/warehouse.duckdb has no entry for one\n',
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
  expect(await status(folder)).toMatchInlineSnapshot(`
    "position 2, as of 1997-03-10 17:00, 65 minutes ago: 101 users, all last read as of 1997-03-10 16:30
    slice  state        as of (America/New_York)  kind      read  scored  unchanged  quarantined  deleted  seconds  run
        1  completed    1997-03-10 16:30          snapshot  all      100          0            0        0 <s>  <run>
        2  completed *  1997-03-10 17:00          changes   3          1          2            0        0 <s>  <run>
           refused      1997-03-10 17:30          changes   7          0          1            6        0 <s>  <run>
    * the position: the next slice begins where it ended
    <run>: the current table would violate a gate of the job file; 5.88 % of the rows were quarantined, gates.max_quarantine_rate is 1 %
    <run>: the position did not move, and the next slice reads the same changes again
    "
  `);
  const { incremental, ...rest } = JSON.parse((await scoreBatch(folder, ['status', '--slices', '--json'], NOW)).stdout);
  expect(rest).toMatchObject({ job: 'linear', runs: [], missing: [] });
  expect(incremental).toMatchObject({
    table: 'marketing.current',
    position: { number: 2, as_of: '1997-03-10T22:00:00.000001Z', age_seconds: 3900, users: 101, other_model: 0 },
    shadow: null,
    slices: [
      { number: 1, kind: 'snapshot', changed_keys: null, scored: 100, current: false, error: null },
      { number: 2, kind: 'changes', changed_keys: 3, scored: 1, unchanged: 2, deleted: 0, current: true },
      {
        number: null,
        state: 'refused',
        changed_keys: 7,
        quarantined: 6,
        current: false,
        error: expect.stringContaining('gate'),
      },
    ],
  });
  expect(
    (await status(folder, '--limit', '1')).split('\n').filter((line) => /^ *\d* +(completed|refused)/.test(line)),
  ).toHaveLength(1);
});

it('says what people read, and how many comparisons in a row were within limits', async () => {
  const folder = await sliceProject({ incremental: `${INCREMENTAL}  shadow: { view: marketing.people, comparisons: 1 }\n` });
  await sliced(folder);
  const line = async () => (await status(folder)).split('\n')[0];
  expect(await line()).toMatch(/; people read the batch in marketing.people, 0 of 1 comparisons in a row within limits$/);
  await change(
    folder,
    "insert into users values (200, timestamp '1997-03-17 22:00', 0.5, 0, 'FR', timestamp '1997-03-17 22:00')",
  );
  expect(await sliced(folder)).toHaveLength(2);
  expect((await scoreBatch(folder, ['--week', '1997-W11'])).code).toBe(0);
  expect((await scoreBatch(folder, ['compare', '--shadow'])).code).toBe(0);
  expect((await scoreBatch(folder, ['promote', '--shadow'])).code).toBe(0);
  expect(await line()).toMatch(
    /; people read the current table in marketing.people, 1 of 1 comparisons in a row within limits$/,
  );
  const { incremental } = JSON.parse((await scoreBatch(folder, ['status', '--slices', '--json'], NOW)).stdout);
  expect(incremental).toMatchObject({
    shadow: { reads: 'current', comparisons_in_a_row: 1, last_window: '1997-W11' },
    slices: [{ boundary: null }, { boundary: '1997-03-17T05:00:00.000000Z' }, { boundary: null, current: true }],
  });
});

it('takes no flags of windows', async () => {
  const folder = await sliceProject();
  const { code, stderr } = await scoreBatch(folder, ['status', '--slices', '--state', 'failed']);
  expect({ code, stderr }).toEqual({ code: 64, stderr: expect.stringContaining('--state cannot be combined with --slices') });
});
