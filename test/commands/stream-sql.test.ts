import { writeFile } from 'node:fs/promises';
import path from 'node:path';
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

it('refuses names of attributes that are no plain columns', async () => {
  const named = DAILY.replace('home_country', '"x) from secrets --"');
  const folder = await streamProject({ features: `${FEATURES}${LOG}`, files: { 'jobs/fraud-daily.yaml': named } });
  const { code, stderr } = await scoreBatch(folder, ['stream', 'sql', '--job', 'fraud', '--batch', 'fraud-daily']);
  expect(code).toBe(78);
  expect(stderr).toContain('write the name of a column: letters, digits and _');
});
