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
    next: fill in the query and the model, then run \`score-batch check --job churn\`"
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
    error: the query does not provide what the model needs
      the query has no column a for the model
      the query has no column b for the model
    hint: \`score-batch model inspect FOLDER\` prints the columns that a model needs"
  `);
  const query = path.join(folder, 'jobs/churn.sql');
  await writeFile(query, (await readFile(query, 'utf8')).replace('-- , feature columns', ', a, b'));
  expect((await plan()).code).toBe(0);
  expect(await publishedTables(folder)).toEqual([]);
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  expect(await rowsOf(folder, 'select count(*) as n from marketing.churn_report')).toEqual([{ n: '5' }]);
});

it('fills in what a model and a table tell, so that the job can be planned at once', async () => {
  const folder = await temporaryFolder();
  await cp(repository('test/fixtures/tips'), path.join(folder, 'models/tips'), { recursive: true });
  await mkdir(path.join(folder, 'data'));
  await statements(path.join(folder, 'data/restaurant.duckdb'), [
    'create schema shop',
    `create table shop.visits as select *, date '1997-03-10' + cast(visit_id % 7 as integer) as visited, 'x' as "group"
     from read_csv('${repository('test/fixtures/tips/tips.csv')}')`,
  ]);
  const flags = ['--model', 'models/tips', '--table', 'shop.visits', '--warehouse', 'duckdb:data/restaurant.duckdb'];
  expect(transcript(await scoreBatch(folder, ['init', 'tips', ...flags]), folder)).toMatchInlineSnapshot(`
    "exit 0
    stderr:
    wrote <project>/jobs/tips.yaml, <project>/jobs/tips.sql, <project>/jobs/job.schema.json
    next: review both files, set time_zone and sink.table, then run \`score-batch plan --job tips --week\`"
  `);
  expect(await readFile(path.join(folder, 'jobs/tips.sql'), 'utf8')).toMatchInlineSnapshot(`
    "-- One row per user of the window, with the model's features as known at the end of the window.
    select
      visit_id,
      total_bill,
      size,
      bill_per_head,
      smoker,
      day,
      time
    from shop.visits
    where visited >= :window_start_date
      and visited < :window_end_date
    "
  `);
  const job = await readFile(path.join(folder, 'jobs/tips.yaml'), 'utf8');
  expect(
    job.split('\n').filter((line) => /^(model| {2}(warehouse|scratch|key|column|keep)):/.test(line)),
  ).toMatchInlineSnapshot(`
    [
      "model: models/tips                    # folder with model.onnx, model.yaml and golden.csv",
      "  warehouse: "duckdb:data/restaurant.duckdb"",
      "  scratch: scratch                    # schema, dataset or folder suffix for the frozen rows of a run",
      "  key: [visit_id]                     # chosen by name; list several columns for a composite key",
      "  column: score",
      "  keep: []                            # columns of the query to publish with each score; the table has group",
    ]
  `);
  expect(await scoreBatch(folder, ['plan', '--week'])).toMatchObject({ code: 0, stderr: '' });
});

it('leaves as comments what it cannot know, and says what is left to do', async () => {
  const folder = await temporaryFolder();
  await cp(repository('test/fixtures/models/strings'), path.join(folder, 'strings'), { recursive: true });
  await mkdir(path.join(folder, 'data'));
  await statements(warehouseOf(folder), [
    'create table orders (user_id bigint, shop_id bigint, "plan" boolean, login integer, created timestamp, paid date, note text)',
  ]);
  const outcome = await scoreBatch(folder, ['init', 'churn', '--model', 'strings', '--table', 'orders']);
  expect(transcript(outcome, folder)).toMatchInlineSnapshot(`
    "exit 0
    stderr:
    wrote <project>/jobs/churn.yaml, <project>/jobs/churn.sql, <project>/jobs/job.schema.json
    still to do, marked in the files:
      name the key, perhaps user_id, shop_id
      add a column to the query for the feature plan (string): the column is BOOLEAN: a cast would give false and true, and the model knows "free", "pro": map them with CASE in the query, or load the column as text
      add a column to the query for the feature logins (int64): the table has no such column; is it login?
      choose the column of orders that decides which window a row belongs to, perhaps created, paid"
  `);
  expect(await readFile(path.join(folder, 'jobs/churn.sql'), 'utf8')).toMatchInlineSnapshot(`
    "-- One row per user of the window, with the model's features as known at the end of the window.
    select
      user_id,
      shop_id,
      login
      -- , plan as plan -- string: the column is BOOLEAN: a cast would give false and true, and the model knows "free", "pro": map them with CASE in the query, or load the column as text
    from orders
    -- Choose the column that decides which window a row belongs to:
    -- where created >= :window_start_local and created < :window_end_local
    -- where paid >= :window_start_date and paid < :window_end_date
    "
  `);
  const job = await readFile(path.join(folder, 'jobs/churn.yaml'), 'utf8');
  expect(job.split('\n').filter((line) => /key:|features:|logins/.test(line))).toMatchInlineSnapshot(`
    [
      "  key: []                             # name the columns that identify a row, perhaps user_id, shop_id",
      "# features:                           # feature of the model: column of the query; uncomment the ones that match",
      "#   logins: login",
    ]
  `);
  const { code, stderr } = await scoreBatch(folder, ['plan', '--week', '--job', 'churn']);
  expect(code).toBe(78);
  expect(stderr).toContain('source.key: name at least one key column');
});

it.each([
  [['--model', 'm'], 64, '--table is missing'],
  [['--warehouse', 'duckdb:x', '--table', 't'], 64, '--model is missing'],
  [['--model', 'm', '--table', 'a;b'], 64, '--table a;b is not a valid table name'],
  [['--model', 'm', '--table', 't'], 78, 'm/model.yaml does not exist'],
])('refuses %j and writes nothing', async (flags, exit, message) => {
  const folder = await temporaryFolder();
  const { code, stderr } = await scoreBatch(folder, ['init', 'churn', ...flags]);
  expect(code).toBe(exit);
  expect(stderr).toContain(message);
  await expect(readFile(path.join(folder, 'jobs/churn.yaml'))).rejects.toThrow('ENOENT');
});

it('never writes over a job, and leaves the other file alone', async () => {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, 'jobs'));
  await writeFile(path.join(folder, 'jobs/churn.sql'), 'select 1');
  expect(transcript(await scoreBatch(folder, ['init', 'churn']), folder)).toMatchInlineSnapshot(`
    "exit 64
    stderr:
    error: <project>/jobs/churn.sql already exists
    hint: choose another name, or remove the file first"
  `);
  expect(await readFile(path.join(folder, 'jobs/churn.sql'), 'utf8')).toBe('select 1');
  await expect(readFile(path.join(folder, 'jobs/churn.yaml'))).rejects.toThrow('ENOENT');
});

it('asks which class of a model is the score', async () => {
  const folder = await temporaryFolder();
  await cp(repository('models/iris'), path.join(folder, 'models/iris'), { recursive: true });
  await mkdir(path.join(folder, 'data'));
  const flowers = repository('test/fixtures/iris/flowers.csv');
  await statements(path.join(folder, 'data/garden.duckdb'), [
    `create table flowers as select *, date '1997-03-12' as picked from read_csv('${flowers}')`,
  ]);
  const flags = ['--model', 'models/iris', '--table', 'flowers', '--warehouse', 'duckdb:data/garden.duckdb'];
  const { code, stderr } = await scoreBatch(folder, ['init', 'iris', ...flags]);
  expect(code).toBe(0);
  expect(stderr).toContain('choose the class whose probability is the score: setosa, versicolor, virginica');
  const file = path.join(folder, 'jobs/iris.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('  # class: virginica\n', '  class: virginica\n'));
  expect(await scoreBatch(folder, ['plan', '--week'])).toMatchObject({ code: 0 });
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
    schema: 'score-batch/init/1',
    files: ['churn.yaml', 'churn.sql', 'job.schema.json'].map((name) => path.join(folder, 'jobs', name)),
    open: [],
  });
});
