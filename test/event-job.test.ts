import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseJob } from '../src/job/parse.ts';
import { problemsOf } from './event-features/problems.ts';
import { makeProject, query, repository, statements } from './support/project.ts';
import { scoreBatch } from './support/score-batch.ts';

// A job whose rows are events: the feature file is its query. The model is sigmoid(0.5 a - 0.25 b), b 0 if it is null.

const DAY = Date.parse('1997-03-10T00:00:00Z');

const FEATURES = `name: payments
as_of: arrival
key: user_id
id: payment_id
time: at
fields: { payment_id: string, user_id: string, at: int64, amount: int64 }
lateness: 5s
log: { partition: kafka_partition, offset: kafka_offset, timestamp: kafka_timestamp }
features:
  amount_5m: { sum: amount, window: 5m }
  payments_5m: { count: events, window: 5m }
`;

const JOB = `name: payments
model: model
time_zone: UTC
every: day
source:
  warehouse: duckdb:data/warehouse.duckdb
  events: { features: jobs/payments.features.yaml, table: payments, attributes: ATTRIBUTES }
  key: [payment_id]
features: { a: amount_5m, b: age }
score: { column: propensity, chunk_rows: 10, providers: [cpu] }
sink: { table: marketing.scores, keep: [payments_5m] }
`;

/** Seconds after midnight, id, user, amount, version of the user's attributes. */
const EVENTS: readonly (readonly [number, string, string, number, number | null])[] = [
  [-400, 'p0', '7', 5, 1],
  [-100, 'p1', '7', 2, 1],
  [10, 'p2', '7', 1, 1],
  [11, 'p3', '8', 3, null],
  // Late by 2 ms more than it may be.
  [5.998, 'late', '7', 50, 1],
  // A copy, with another time.
  [12, 'p2', '7', 1, 1],
  [10, 'p4', '7', 4, 2],
  [86_399.999, 'p5', 'x9', 6, 1],
  [86_400, 'next', 'x9', 7, 1],
];

const WAREHOUSE = [
  `create table payments as select * from (values ${EVENTS.map(([at, id, user, amount, version], offset) => {
    const time = DAY + at * 1000;
    return `('${id}', '${user}', ${time}::bigint, ${amount}::bigint, ${version}::integer, 0::bigint, ${offset}::bigint, ${time}::bigint)`;
  }).join(', ')}) as t(payment_id, user_id, "at", amount, attributes_version, kafka_partition, kafka_offset, kafka_timestamp)`,
  `create table versions as select * from (values ('7', 1, ${DAY - 1_000_000}, 4), ('7', 2, ${DAY + 10_000}, 8),
    ('8', 1, ${DAY + 20_000}, 8), ('x9', 1, 0, 12)) as t(user_id, version, since, age)`,
  // A key that is a whole number: other keys are texts that are none.
  'create table users as select try_cast(user_id as integer) as user_id, age from versions where version = 1',
];

const project = (attributes: string, files: Readonly<Record<string, string>> = {}) =>
  makeProject({
    warehouse: WAREHOUSE,
    job: JOB.replace('ATTRIBUTES', attributes),
    model: repository('test', 'fixtures', 'models', 'linear'),
    files: { 'jobs/payments.features.yaml': FEATURES, ...files },
  });

const scoreOf = (a: number, b: number) => (1 / (1 + Math.exp(-(0.5 * a - 0.25 * b)))).toFixed(6);

const USED = '{ table: versions, key: user_id, columns: [age], version: version, used: attributes_version }';

describe('a day of events', () => {
  it.each([
    ['as of the version that was used', USED, { p2: 4, p3: 0, p4: 8, p5: 12 }],
    [
      'as of the time of the event',
      '{ table: versions, key: user_id, columns: [age], valid_from: since }',
      { p2: 8, p3: 0, p4: 8, p5: 12 },
    ],
    ['as they are now', '{ table: users, key: user_id, columns: [age] }', { p2: 4, p3: 8, p4: 4, p5: 0 }],
  ])('is scored with the features that the stream had, and attributes %s', async (_, attributes, ages) => {
    const folder = await project(attributes);
    const { code, stderr } = await scoreBatch(folder, ['--date', '1997-03-10']);
    expect(code, stderr).toBe(0);
    const rows = await query(
      path.join(folder, 'data', 'warehouse.duckdb'),
      "select payment_id, payments_5m, printf('%.6f', propensity) as score from marketing.scores order by payment_id",
    );
    expect(rows).toEqual([
      { payment_id: 'p2', payments_5m: '2', score: scoreOf(3, ages.p2) },
      { payment_id: 'p3', payments_5m: '1', score: scoreOf(3, ages.p3) },
      { payment_id: 'p4', payments_5m: '3', score: scoreOf(7, ages.p4) },
      { payment_id: 'p5', payments_5m: '1', score: scoreOf(6, ages.p5) },
    ]);
  });

  it('plan shows the SQL, and a changed feature file makes another plan', async () => {
    const folder = await project(USED);
    const { code, stdout, stderr } = await scoreBatch(folder, ['plan', '--date', '1997-03-10']);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('-- features of payments as of arrival, ');
    expect(stdout).toContain('b._log_offset <= a._log_offset');
    const plan = async () => {
      const { stdout: json } = await scoreBatch(folder, ['plan', '--date', '1997-03-10', '--json']);
      return JSON.parse(json) as { fingerprint: string; sql: string };
    };
    const before = await plan();
    expect(before.sql).toContain('epoch_ms(:window_start)');
    const file = path.join(folder, 'jobs', 'payments.features.yaml');
    await writeFile(file, `# of payments\n${await readFile(file, 'utf8')}`);
    expect((await plan()).fingerprint).toBe(before.fingerprint);
    await writeFile(file, FEATURES.replace('window: 5m }\n  payments', 'window: 6m }\n  payments'));
    expect((await plan()).fingerprint).not.toBe(before.fingerprint);
  });
});

describe('is refused with 78', () => {
  it.each([
    [
      'where there is no feature file',
      USED,
      { 'jobs/payments.features.yaml': '' },
      'the feature file jobs/payments.features.yaml',
    ],
    [
      'where an attribute has the name of a field',
      '{ table: users, key: user_id, columns: [Amount] }',
      {},
      'error: the attribute Amount has the name of a field, a feature or another attribute\n',
    ],
    [
      'where features are as of arrival and the table does not know it',
      USED,
      { 'jobs/payments.features.yaml': FEATURES.replace(/log: .*\n/, '') },
      'error: the features of payments are as of arrival, but the feature file has no log\n',
    ],
    [
      'where attributes have half of what says their version',
      '{ table: users, key: user_id, columns: [age], version: v }',
      {},
      'source.events.attributes: version and used go together',
    ],
    [
      'whose table of attributes is missing',
      '{ table: user, key: user_id, columns: [age] }',
      {},
      'hint: correct source.events.attributes.table in the job file, or create the table\n',
    ],
  ])('a job %s', async (_, attributes, files, message) => {
    const { code, stderr } = await scoreBatch(await project(attributes, files), ['plan', '--date', '1997-03-10']);
    expect(stderr).toContain(message);
    expect(code).toBe(78);
  });
});

it('a job has one query, and none of slices', () => {
  const job = JOB.replace('ATTRIBUTES', USED);
  const twice = job.replace('  key:', '  query: select 1\n  key:');
  expect(problemsOf(() => parseJob(twice, 'job.yaml', {}))).toContain('source: give one of query, query_file and events');
  const sliced = `${job}incremental: { table: marketing.current, since: 1997-01-01, changes: [{ table: payments, watermark: at }] }\n`;
  expect(problemsOf(() => parseJob(sliced, 'job.yaml', {}))).toContain(
    'incremental: an event does not change once it is scored, so a job on events has no slices',
  );
});

describe('plan', () => {
  const plan = async (attributes: string, sql: readonly string[] = []) => {
    const folder = await project(attributes);
    if (sql.length > 0) await statements(path.join(folder, 'data', 'warehouse.duckdb'), sql);
    return await scoreBatch(folder, ['plan', '--date', '1997-03-10']);
  };

  it('says that attributes are those of now where they are overwritten, and only there', async () => {
    const load = await plan('{ table: users, key: user_id, columns: [age] }');
    expect(load, load.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('attributes as of: load.') });
    expect((await plan(USED)).stdout).not.toContain('attributes as of: load');
  });

  it.each([
    [
      'a decimal for an int64 field',
      'alter table payments alter amount type decimal(10, 2)',
      /column amount of payments \(source\.events\.table\) is DECIMAL\(10,2\), not a whole number/,
    ],
    [
      'a double for the time',
      'alter table payments alter "at" type double',
      /column at of payments .* is DOUBLE, not a whole number/,
    ],
    [
      'a column that has another name',
      'alter table payments rename amount to amounts',
      /payments \(source\.events\.table\) has no column amount\n.*did you mean amounts\?/s,
    ],
    [
      'an attribute that has another name',
      'alter table versions rename age to ages',
      /versions \(source\.events\.attributes\.table\) has no column age\n.*did you mean ages\?/s,
    ],
  ])('refuses %s', async (_, statement, message) => {
    const { code, stderr } = await plan(USED, [statement]);
    expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringMatching(message) });
  });

  it('takes a decimal without a fraction, as Snowflake has whole numbers', async () => {
    const { code, stderr } = await plan(USED, ['alter table payments alter amount type decimal(38, 0)']);
    expect(code, stderr).toBe(0);
  });
});
