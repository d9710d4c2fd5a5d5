import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { query, statements } from './support/project.ts';
import { scoreBatch, startScoreBatch } from './support/score-batch.ts';
import { STAGED, slowProject, untilFiles } from './support/steer.ts';

const WAREHOUSE = 'data/warehouse.duckdb';
const SCRATCH = `${WAREHOUSE}.scratch`;
const CSV = 'reports/linear-1997-W11.csv';
const KEEP = 'source:\n  keep_rows: 35 days\n';

const keeping = (job: string): string => job.replace('source:\n', KEEP);

async function published(folder: string, ...flags: string[]): Promise<{ run_id: string; chunks: number }> {
  const { code, stdout, stderr } = await scoreBatch(folder, ['--week', '--json', ...flags]);
  expect(stderr).not.toContain('error:');
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

const scores = (folder: string) =>
  query(path.join(folder, WAREHOUSE), 'select user_id, country, propensity, rank, band from marketing.scores order by user_id');

it('scores the rows of then: equal scores by the same model, although the source has changed, without asking the source', async () => {
  const folder = await linearProject({
    edit: (job) => keeping(job).replace('query_file:', 'ready: select count(*) = 100 from users\n  query_file:'),
  });
  const first = await published(folder);
  expect(await readdir(path.join(folder, SCRATCH))).toEqual([first.run_id]);
  const before = [await scores(folder), await readFile(path.join(folder, CSV), 'utf8')];

  await statements(path.join(folder, WAREHOUSE), ['drop table users']);
  const plan = await scoreBatch(folder, ['plan', '--week', '--as-of', first.run_id]);
  expect(plan.code).toBe(0);
  expect(plan.stdout).toContain(`those that run ${first.run_id} read`);
  for (const again of [
    await published(folder, '--as-of', first.run_id),
    await published(folder, '--as-of', first.run_id, '--fresh'),
  ]) {
    expect(again.run_id).not.toBe(first.run_id);
    expect([await scores(folder), await readFile(path.join(folder, CSV), 'utf8')]).toEqual(before);
    const [entry] = await query(
      path.join(folder, WAREHOUSE),
      `select details->'as_of'->>'run_id' as earlier from marketing.score_batch_ledger where run_id = '${again.run_id}' and state = 'started'`,
    );
    expect(entry).toEqual({ earlier: first.run_id });
    // The rows of then stay, and the new run leaves nothing.
    expect(await readdir(path.join(folder, SCRATCH))).toEqual([first.run_id]);
  }
  const chained = await scoreBatch(folder, [
    '--week',
    '--as-of',
    (await published(folder, '--as-of', first.run_id, '--fresh')).run_id,
  ]);
  expect([chained.code, chained.stderr]).toEqual([78, expect.stringContaining(`use --as-of ${first.run_id}`)]);
});

it('scores the rows of then with the present model, which may need other features of the same columns', async () => {
  const folder = await linearProject({ edit: keeping });
  const first = await published(folder);
  const was = await scores(folder);
  const model = path.join(folder, 'model', 'model.yaml');
  // The scores change with the value for a missing b.
  const yaml = await readFile(model, 'utf8');
  await writeFile(model, yaml.replace(/version: .*/, "version: '2'").replace('default: 0', 'default: 1'));
  const golden = path.join(folder, 'model', 'golden.csv');
  await writeFile(golden, (await readFile(golden, 'utf8')).replace(/^4,,.*\n/m, ''));
  await statements(path.join(folder, WAREHOUSE), ['delete from users']);
  await published(folder, '--as-of', first.run_id);
  const now = await scores(folder);
  expect(now).toHaveLength(100);
  const changed = now.filter((row, i) => row.propensity !== was[i]?.propensity).map(({ user_id }) => Number(user_id) % 10);
  expect(new Set(changed)).toEqual(new Set([3]));
});
it('never resumes a run that has read other rows, nor is resumed by one', async () => {
  const folder = await slowProject({ edit: keeping });
  const first = await published(folder);
  const before = await scores(folder);
  await statements(path.join(folder, WAREHOUSE), ['update users set a = a / 2']);
  const command = ['--week', '--json', '--workers', '2'];
  const running = startScoreBatch(folder, command);
  await untilFiles(running, folder, STAGED, 3);
  running.process.kill('SIGKILL');
  await running.ended;
  const { code, stdout, stderr } = await scoreBatch(folder, [...command, '--as-of', first.run_id]);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout).chunks_resumed).toBe(0);
  expect(await scores(folder)).toEqual(before);
}, 600_000);

it('resumes after kill -9 with what is staged of the rows of then', async () => {
  const folder = await slowProject({ edit: keeping });
  const first = await published(folder);
  const before = await scores(folder);
  await statements(path.join(folder, WAREHOUSE), ['drop table users']);
  const command = ['--week', '--json', '--workers', '2', '--as-of', first.run_id];
  const running = startScoreBatch(folder, command);
  await untilFiles(running, folder, STAGED, 3);
  running.process.kill('SIGKILL');
  await running.ended;
  const { code, stdout, stderr } = await scoreBatch(folder, command);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout).chunks_resumed).toBeGreaterThanOrEqual(3);
  expect(await scores(folder)).toEqual(before);
}, 600_000);

const edited = async (folder: string, edit: (job: string) => string): Promise<void> => {
  const file = path.join(folder, 'jobs', 'job.yaml');
  await writeFile(file, edit(await readFile(file, 'utf8')));
};

it('refuses rows that are not those of then, before it moves any', async () => {
  const folder = await linearProject({ edit: keeping });
  const { run_id: run } = await published(folder);
  const refused = async (code: number, text: string, ...args: string[]): Promise<void> => {
    const outcome = await scoreBatch(folder, [...args, '--allow-open']);
    expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringContaining(text)]);
  };
  await refused(78, 'there is no run nobody', '--week', '--as-of', 'nobody');
  await refused(78, 'belongs to the window 1997-W11, not to 1997-W10', '--week', '1997-W10', '--as-of', run);
  await edited(folder, (job) => job.replace('name: linear', 'name: other'));
  await refused(78, 'belongs to the job linear, not to other', '--week', '--as-of', run);
  await edited(folder, (job) =>
    job.replace('name: other', 'name: linear').replace('keep: [country]', 'keep: [country, signup]'),
  );
  await refused(78, 'the rows that run', '--week', '--as-of', run);
  await edited(folder, (job) =>
    job
      .replace('[country, signup]', '[country]')
      .replace('key: [user_id]', 'key: [country]')
      .replace('keep: [country]', 'keep: [user_id]')
      .replace('segments: [country]', 'segments: [user_id]'),
  );
  await refused(78, 'read rows with the key user_id', '--week', '--as-of', run);
  await edited(folder, (job) =>
    job
      .replace('key: [country]', 'key: [user_id]')
      .replace('keep: [user_id]', 'keep: [country]')
      .replace('segments: [user_id]', 'segments: [country]')
      .replace('keep_rows: 35 days', 'freeze: always'),
  );
  await refused(65, 'were kept only until', '--week', '--as-of', run);
  // Without the key the end of this run drops them, and keeps nothing of its own.
  const { run_id: unkept } = await published(folder, '--fresh');
  await edited(folder, (job) => job.replace('freeze: always', 'keep_rows: 35 days'));
  await refused(65, 'are not kept', '--week', '--as-of', run);
  await refused(65, 'are not kept', '--week', '--as-of', unkept);
  const { run_id: changed } = await published(folder, '--fresh');
  const rows = path.join(folder, SCRATCH, changed, 'frozen', 'rows', 'data_0.parquet');
  await writeFile(rows, await readFile(rows));
  await refused(65, 'cannot be scored again', '--week', '--as-of', changed);
});

it('shows kept rows with their deadline in gc, and drops them after it, or earlier if the job keeps them for less', async () => {
  const folder = await linearProject({ edit: keeping });
  const { run_id: run } = await published(folder);
  const gc = async (...flags: string[]) => JSON.parse((await scoreBatch(folder, ['gc', '--json', ...flags])).stdout).left;
  const [left] = await gc('--apply');
  expect(left).toMatchObject({ run_id: run, action: 'keep', why: expect.stringContaining('its rows are kept until') });
  expect(Date.parse(left.deadline) - Date.now()).toBeGreaterThan(34.9 * 86_400_000);
  const manifest = path.join(folder, SCRATCH, run, 'frozen', 'frozen.json');
  const frozen = JSON.parse(await readFile(manifest, 'utf8'));
  const since = new Date(Date.now() - 10 * 86_400_000).toISOString();
  await writeFile(manifest, JSON.stringify({ ...frozen, kept: { ...frozen.kept, since } }));
  expect((await gc('--apply'))[0].action).toBe('keep');
  await edited(folder, (job) => job.replace('35 days', '9 days'));
  expect((await gc())[0]).toMatchObject({ action: 'drop', why: 'its run has published' });
  expect((await gc('--apply'))[0].action).toBe('dropped');
  expect(await gc()).toEqual([]);
});
