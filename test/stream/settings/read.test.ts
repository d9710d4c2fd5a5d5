import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { loadJob } from '../../../src/job/load.ts';
import { withoutSecrets } from '../../../src/secrets.ts';
import { readStreamSettings } from '../../../src/stream/settings/read.ts';
import { FEATURES, JOB, streamProject } from '../stream-project.ts';

async function problems(job: string, features = FEATURES, environment: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const folder = await streamProject({ job, features });
  return await readStreamSettings('fraud', folder, environment).then(
    () => [],
    (error) => [error.message, ...error.details],
  );
}

it('reads a stream job with its defaults, and its paths from the project root', async () => {
  const folder = await streamProject();
  const settings = await readStreamSettings(undefined, folder, {});
  expect(settings).toMatchObject({
    name: 'fraud',
    root: folder,
    model: path.join(folder, 'model'),
    group: 'score-batch-fraud',
    renamed: { b: 'amount_5m' },
    decisions: [
      { name: 'approve', from: 0 },
      { name: 'review', from: 500_000 },
      { name: 'decline', from: 900_000 },
    ],
    limits: { eventsPerKey: 10_000, stateBytes: 2 ** 30, messageBytes: 2 ** 20, batchEvents: 5000 },
    kafka: { brokers: ['localhost:9092'], clientId: 'score-batch', tls: undefined, sasl: undefined },
  });
  expect(settings.features.features.map(({ name }) => name)).toEqual(['a', 'amount_5m', 'since_last']);
});

it('shows all problems of the file at once, each with its line', async () => {
  const job = JOB.replace('review: 0.5', 'review: 0.95')
    .replace('alert_on: [decline]', 'alert_on: [declin]')
    .replace('dead_letter: fraud-dead-letter', 'dead_letter: transactions')
    .replace('[localhost:9092] }', '[localhost:9092], tls: { cert: c.pem } }');
  expect(await problems(job)).toEqual([
    'the stream job file jobs/fraud.yaml has 4 problems',
    'jobs/fraud.yaml:5:42: kafka.tls: a certificate needs its key: set both cert and key',
    'jobs/fraud.yaml:7:46: output.dead_letter: transactions is already input: each needs its own topic',
    'jobs/fraud.yaml:8:48: decision.decline: must begin above the previous decision',
    'jobs/fraud.yaml:9:12: alert_on.0: declin is not a decision; did you mean decline?',
  ]);
});

it.each([
  ['brokers: [localhost]', 'brokers: [localhost:9092]', /kafka\.brokers\.0: write a broker as host:port/],
  ['input: "a b"', 'input: transactions', /input: must be the name of a topic/],
  ['inputs: transactions', 'input: transactions', /unknown key inputs; did you mean input\?/],
  ['decision: { approve: 0.1', 'decision: { approve: 0', /decision\.approve: the first decision must begin at 0/],
  ['alert_on: []', 'alert_on: [decline]', /output\.alerts: nothing would be written to it/],
  ['idle: 5', 'alert_on: [decline]', /idle: write a duration like/],
])('refuses %s', async (wrong, right, why) => {
  const job = JOB.replace(right, wrong);
  const found = await problems(job);
  expect(found.join('\n')).toMatch(why);
});

it('takes a password from the environment only, and masks it from then on', async () => {
  const sasl = (password: string) =>
    JOB.replace('9092] }', `9092], sasl: { mechanism: scram-sha-512, username: u, password: ${password} } }`);
  expect((await problems(sasl('hunter2-hunter2'))).join('\n')).toMatch(/kafka\.sasl\.password: must not be in the file/);
  expect((await problems(sasl('"$' + '{KAFKA_PASSWORD:-hunter2}"'))).join('\n')).toMatch(/must not be in the file/);
  const fromVariable = sasl('"$' + '{KAFKA_PASSWORD}"');
  expect((await problems(fromVariable)).join('\n')).toMatch(/KAFKA_PASSWORD is not set/);
  expect(await problems(fromVariable, FEATURES, { KAFKA_PASSWORD: 'correct horse battery' })).toEqual([]);
  expect(withoutSecrets('it is correct horse battery')).toBe('it is [secret]');
});

it('refuses idle as of arrival, and attributes with the name of a field', async () => {
  const attributes = 'attributes: { topic: users, columns: { amount: int64 } }\nidle: 10s\n';
  expect(await problems(`${JOB}${attributes}`)).toEqual([
    'the stream job file jobs/fraud.yaml does not fit its feature file',
    expect.stringMatching(/^idle: .*remove idle$/),
    expect.stringMatching(/^attributes\.columns\.amount: /),
  ]);
});

it('refuses a max_age that every row reaches before it is read again', async () => {
  const attributes = (more: string) =>
    `${JOB}attributes: { warehouse: 'duckdb:users.duckdb', query: select 1, key: user_id, refresh: 5m${more} }\n`;
  for (const age of ['1m', '5m']) {
    expect((await problems(attributes(`, max_age: ${age}`))).join('\n')).toMatch(
      /attributes\.max_age: must be more than attributes\.refresh/,
    );
  }
  for (const more of ['', ', max_age: 6m']) expect(await problems(attributes(more))).toEqual([]);
});

it('keeps stream jobs and jobs of windows apart, and names the command of the other one', async () => {
  const folder = await streamProject();
  await expect(loadJob('fraud', folder, {})).rejects.toMatchObject({
    message: 'fraud is a stream job',
    hint: 'run `score-batch stream --job fraud`',
  });
  await expect(loadJob(undefined, folder, {})).rejects.toMatchObject({ hint: expect.stringContaining('is a stream job') });
  await writeFile(path.join(folder, 'jobs/churn.yaml'), 'name: churn\n');
  await expect(readStreamSettings('churn', folder, {})).rejects.toMatchObject({
    message: 'churn is not a stream job',
    hint: expect.stringContaining('score-batch --job churn'),
  });
  await expect(readStreamSettings('fraud.features.yaml', folder, {})).rejects.toMatchObject({
    message: 'jobs/fraud.features.yaml holds features, not a job',
  });
  expect((await readStreamSettings(undefined, folder, {})).name).toBe('fraud');
});
