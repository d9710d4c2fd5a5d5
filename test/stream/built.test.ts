import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { scoreBatchProcess } from '../support/score-batch.ts';
import { FEATURES, JOB, streamProject } from './stream-project.ts';

const AT = Date.UTC(2026, 10, 27);
const LINES = Array.from({ length: 300 }, (_, i) =>
  JSON.stringify({ transaction_id: `t${i}`, user_id: `u${i % 3}`, at: AT + i, amount: 1, merchant: 'm' }),
).join('\n');
const LOG = 'log: { partition: kafka_partition, offset: kafka_offset, timestamp: kafka_timestamp }\n';

it('scores the events of a file as the package does, and prints the SQL of the same features', async () => {
  const folder = await streamProject({ features: `${FEATURES}${LOG}`, files: { 'events.jsonl': LINES } });
  const { code, stdout, stderr } = await scoreBatchProcess(folder, ['stream', '--events', 'events.jsonl']);
  expect(code, stderr).toBe(0);
  expect(stdout.trim().split('\n')).toHaveLength(300);
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ id: 't299', features: { a: 100 } });
  expect(stderr).toMatch(/^read 300 events in .* s: 300 scored, /);
  const sql = await scoreBatchProcess(folder, ['stream', 'sql', '--table', 'shop.transactions', '--json']);
  expect(JSON.parse(sql.stdout)).toMatchObject({ schema: 'score-batch/stream-sql/1', job: 'fraud', warehouse: 'duckdb' });
});

it('ends with the code of what is wrong', async () => {
  const folder = await streamProject({ job: JOB.replace('localhost:9092', '127.0.0.1:1') });
  const codes = async (...args: string[]) => (await scoreBatchProcess(folder, ['stream', ...args])).code;
  expect(await codes('--out', 'x')).toBe(64);
  expect(await codes('--accept-new-group')).toBe(64);
  expect(await codes('--events', 'gone.jsonl')).toBe(64);
  // No broker answers.
  expect(await codes()).toBe(69);
  await writeFile(path.join(folder, 'jobs/fraud.yaml'), JOB.replace('review: 0.5', 'review: 2'));
  expect(await codes('--events', 'gone.jsonl')).toBe(78);
});
