import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { repository, statements, temporaryFolder } from '../support/project.ts';
import { publishedTables, rowsOf, warehouseOf } from '../support/published.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { transcript } from '../support/transcript.ts';

it('writes a job, its query and the schema for editors, from which a job comes to run', async () => {
  const folder = await temporaryFolder();
  expect(transcript(await scoreBatch(folder, ['init', 'churn']), folder)).toMatchInlineSnapshot(`
    "exit 0
    stderr:
    wrote <project>/jobs/churn.yaml, <project>/jobs/churn.sql, <project>/jobs/job.schema.json
    next: fill in the query and the model, then \`score-batch check --job churn\` tells what is missing"
  `);
  expect(await readFile(path.join(folder, 'jobs/job.schema.json'), 'utf8')).toBe(
    await readFile(repository('jobs/job.schema.json'), 'utf8'),
  );
  // What is left to do is said one step after the other.
  const plan = () => scoreBatch(folder, ['plan', '--week']);
  expect((await plan()).stderr).toContain(
    'error: <project>/models/churn/model.yaml does not exist'.replace('<project>', folder),
  );
  await cp(repository('test/fixtures/models/linear'), path.join(folder, 'models/churn'), { recursive: true });
  expect((await plan()).stderr).toContain('data/warehouse.duckdb does not exist\n');
  await mkdir(path.join(folder, 'data'));
  await statements(warehouseOf(folder), [
    "create table users as select i as user_id, date '1997-03-12' as signup_date, 1.0 as a, 2.0 as b from range(5) as users(i)",
  ]);
  expect(transcript(await plan(), folder)).toMatchInlineSnapshot(`
    "exit 78
    stderr:
    error: the query does not give what the model needs
      the query has no column a for the model
      the query has no column b for the model
    hint: \`score-batch model inspect FOLDER\` prints the columns that a model takes"
  `);
  const query = path.join(folder, 'jobs/churn.sql');
  await writeFile(query, (await readFile(query, 'utf8')).replace('-- , feature columns', ', a, b'));
  expect((await plan()).code).toBe(0);
  expect(await publishedTables(folder)).toEqual([]);
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  expect(await rowsOf(folder, 'select count(*) as n from marketing.churn_report')).toEqual([{ n: '5' }]);
});

it('never writes over a job, and leaves the other file alone', async () => {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, 'jobs'));
  await writeFile(path.join(folder, 'jobs/churn.sql'), 'select 1');
  expect(transcript(await scoreBatch(folder, ['init', 'churn']), folder)).toMatchInlineSnapshot(`
    "exit 64
    stderr:
    error: <project>/jobs/churn.sql exists already
    hint: choose another name, or remove it first"
  `);
  expect(await readFile(path.join(folder, 'jobs/churn.sql'), 'utf8')).toBe('select 1');
  await expect(readFile(path.join(folder, 'jobs/churn.yaml'))).rejects.toThrow('ENOENT');
});

it.each(['Churn Weekly', '../churn', 'churn.yaml', '-churn', ''])('refuses %o as a name', async (name) => {
  const folder = await temporaryFolder();
  const { code, stdout, stderr } = await scoreBatch(folder, ['init', '--', name]);
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
  expect(stderr).toContain('hint: use lower-case letters, digits, - and _\n');
  await expect(readFile(path.join(folder, 'jobs/job.schema.json'))).rejects.toThrow('ENOENT');
});

it('prints the files with --json', async () => {
  const folder = await temporaryFolder();
  const { stdout } = await scoreBatch(folder, ['init', 'churn', '--json']);
  expect(JSON.parse(stdout)).toEqual({
    files: ['churn.yaml', 'churn.sql', 'job.schema.json'].map((name) => path.join(folder, 'jobs', name)),
  });
});
