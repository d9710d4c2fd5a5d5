import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, it } from 'vitest';
import { FEATURES, streamProject } from '../stream/stream-project.ts';
import { scoreBatch } from '../support/score-batch.ts';

const LOG = 'log: { partition: kafka_partition, offset: kafka_offset, timestamp: kafka_timestamp }\n';
const DAILY = `name: fraud-daily
model: model
time_zone: UTC
every: day
source:
  warehouse: bigquery://project/bank?location=EU
  events:
    features: jobs/fraud.features.yaml
    table: bank.transactions
    attributes: { table: bank.users, key: user_id, columns: [home_country], valid_from: since }
  key: [transaction_id]
sink: { table: fraud.scores }
`;

it('prints the SQL as a batch job has it, with its attributes', async () => {
  const files = { 'jobs/fraud-daily.yaml': DAILY };
  const folder = await streamProject({ features: `${FEATURES}${LOG}`, files });
  const sql = (...args: string[]) => scoreBatch(folder, ['stream', 'sql', '--job', 'fraud', ...args]);
  const { code, stdout, stderr } = await sql('--batch', 'fraud-daily', '--json');
  expect(code, stderr).toBe(0);
  const { warehouse, sql: text } = JSON.parse(stdout) as { warehouse: string; sql: string };
  expect(warehouse).toBe('bigquery');
  expect(text).toContain('h.`home_country`');
  expect(text).toContain('from bank.transactions');
  expect(text).toContain('lead(`since`)');

  for (const args of [[], ['--table', 't', '--batch', 'fraud-daily'], ['--batch', 'fraud-daily', '--warehouse', 'duckdb']])
    expect((await sql(...args)).code, args.join(' ')).toBe(64);
  await writeFile(path.join(folder, 'jobs', 'other.features.yaml'), `${FEATURES}${LOG}`.replace('window: 5m', 'window: 6m'));
  await writeFile(path.join(folder, 'jobs', 'other.yaml'), DAILY.replace('fraud.features', 'other.features'));
  expect(await sql('--batch', 'jobs/other.yaml')).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('fraud-daily does not have the features of the stream job'),
  });
});

it('prints SQL that DuckDB runs as it is, with --from and --to, or once a client has its parameters', async () => {
  const folder = await streamProject({ features: `${FEATURES}${LOG}` });
  const sql = (...args: string[]) => scoreBatch(folder, ['stream', 'sql', '--table', 'events', ...args]);
  const day = ['--from', '2026-11-27T00:00:00Z', '--to', '2026-11-28T01:00:00+01:00'];
  const [given, open] = [await sql(...day), await sql()];
  expect(open.stdout).toMatch(/^-- features of fraud .*\n-- window_start and window_end are parameters/);
  expect(given.stdout).not.toMatch(/window_(start|end)/);

  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const at = Date.UTC(2026, 10, 27);
  await connection.run(`create table events as select * from (values
    ('a', 'u', ${at - 60_000}, 5, 'm', 0, 0, ${at - 60_000}), ('b', 'u', ${at}, 7, 'm', 0, 1, ${at}),
    ('c', 'u', ${at + 86_400_000}, 9, 'm', 0, 2, ${at + 86_400_000})
  ) t(transaction_id, user_id, "at", amount, merchant, kafka_partition, kafka_offset, kafka_timestamp)`);
  const rowsOf = async (text: string, values?: Record<string, string>) =>
    (await connection.runAndReadAll(`select transaction_id, a, amount_5m from (${text})`, values)).getRowsJson();
  const expected = [['b', '2', '12']];
  expect(await rowsOf(given.stdout)).toEqual(expected);
  const bound = open.stdout.replaceAll(/:(window_\w+)/g, 'cast($$$1 as timestamptz)');
  expect(await rowsOf(bound, { window_start: '2026-11-27T00:00:00Z', window_end: '2026-11-28T00:00:00Z' })).toEqual(expected);
  connection.closeSync();
  instance.closeSync();

  for (const [kind, type] of [
    ['bigquery', 'TIMESTAMP'],
    ['snowflake', 'TIMESTAMP_TZ'],
  ] as const)
    expect((await sql(...day, '--warehouse', kind)).stdout).toContain(`CAST('2026-11-28T00:00:00.000Z' AS ${type})`);
  for (const wrong of [day.slice(0, 2), day.slice(2), ['--from', '2026-11-28T00:00:00Z', '--to', '2026-11-28T00:00:00Z']])
    expect((await sql(...wrong)).code, wrong.join(' ')).toBe(64);
});

it('refuses names of attributes that are no plain columns', async () => {
  const named = DAILY.replace('home_country', '"x) from secrets --"');
  const folder = await streamProject({ features: `${FEATURES}${LOG}`, files: { 'jobs/fraud-daily.yaml': named } });
  const { code, stderr } = await scoreBatch(folder, ['stream', 'sql', '--job', 'fraud', '--batch', 'fraud-daily']);
  expect(code).toBe(78);
  expect(stderr).toContain('write the name of a column: letters, digits and _');
});
