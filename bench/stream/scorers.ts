import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from '../../scripts/root.ts';
import type { LoadTopics } from './cluster.ts';

/** A process that scores the load; it is started, and stopped by a signal. */
export interface StreamScorer {
  readonly name: string;
  start(setting: ScorerSetting): ChildProcess;
}

export interface ScorerSetting {
  readonly brokers: readonly string[];
  readonly topics: LoadTopics;
  readonly group: string;
  /** Maximum events of a transaction, or of a batch. */
  readonly batch: number;
}

export const SCORE_BATCH: StreamScorer = {
  name: 'score-batch stream',
  start(setting) {
    const folder = project(setting);
    const child = spawn(
      process.execPath,
      [path.join(ROOT, 'dist/cli.js'), 'stream', '--job', 'fraud', '--start', 'earliest', '-C', folder, '-q'],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    child.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    return child;
  },
};

export const PYTHON: StreamScorer = {
  name: 'plain Python consumer',
  start({ brokers, topics, group, batch }) {
    const python = path.join(ROOT, '.tools/stream-peer/bin/python');
    const script = path.join(ROOT, 'bench/stream/consumer.py');
    const model = path.join(ROOT, 'models/fraud/model.onnx');
    const args = [script, brokers.join(','), group, topics.input, topics.scores, topics.users, model, String(batch)];
    return spawn(python, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  },
};

/** A project with the demo's job, using the topics of the load. */
export function project({ brokers, topics, group, batch }: ScorerSetting): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'score-batch-bench-stream-'));
  mkdirSync(path.join(folder, 'jobs'));
  cpSync(path.join(ROOT, 'models/fraud'), path.join(folder, 'model'), { recursive: true });
  const features = readFileSync(path.join(ROOT, 'jobs/fraud/fraud.features.yaml'), 'utf8');
  writeFileSync(path.join(folder, 'jobs/fraud.features.yaml'), features);
  writeFileSync(
    path.join(folder, 'jobs/fraud.yaml'),
    `name: fraud
model: model
features_file: jobs/fraud.features.yaml
kafka: { brokers: [${brokers.map((one) => `"${one}"`).join(', ')}] }
group: ${group}
input: ${topics.input}
output: { scores: ${topics.scores}, dead_letter: ${topics.deadLetter}, alerts: ${topics.alerts} }
decision: { approve: 0, review: 0.3, decline: 0.8 }
alert_on: [decline]
attributes:
  topic: ${topics.users}
  columns: { home_country: string, account_age_days: int64, cards: int64, usual_amount: int64 }
limits: { batch_events: ${batch} }
`,
  );
  return folder;
}
