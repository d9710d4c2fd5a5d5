import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { repository, temporaryFolder } from '../support/project.ts';

export const FEATURES = `name: fraud
as_of: arrival
key: user_id
id: transaction_id
time: at
fields:
  transaction_id: string
  user_id: string
  at: int64
  amount: int64
  merchant: string
lateness: 5s
features:
  a: { count: events, window: 5m }
  amount_5m: { sum: amount, window: 5m }
  since_last: { since: events, window: 5m }
`;

export const JOB = `name: fraud
model: model
features_file: jobs/fraud.features.yaml
features: { b: amount_5m }
kafka: { brokers: [localhost:9092] }
input: transactions
output: { scores: fraud-scores, dead_letter: fraud-dead-letter, alerts: fraud-alerts }
decision: { approve: 0, review: 0.5, decline: 0.9 }
alert_on: [decline]
`;

interface ProjectOptions {
  readonly job?: string;
  readonly features?: string;
  /** Folder of test/fixtures/models. */
  readonly model?: string;
  readonly files?: Readonly<Record<string, string>>;
}

/** A stream job over the linear model: sigmoid(0.5 a − 0.25 b), with a from events and b from amounts. */
export async function streamProject({
  job = JOB,
  features = FEATURES,
  model = 'linear',
  files = {},
}: ProjectOptions = {}): Promise<string> {
  const folder = await temporaryFolder();
  await cp(repository('test/fixtures/models', model), path.join(folder, 'model'), { recursive: true });
  const all = { 'jobs/fraud.yaml': job, 'jobs/fraud.features.yaml': features, ...files };
  for (const [name, text] of Object.entries(all)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}
