import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from '../../scripts/root.ts';
import { flinkSql } from '../../src/event-features/flink/script.ts';
import { readEventFeatures } from '../../src/event-features/read.ts';
import { type FlinkRun, runFlink } from '../../test/flink/flink.ts';
import type { LoadTopics } from './cluster.ts';

const CHECKPOINT_MS = 2000;

/**
 * The demo's features in Flink SQL, as of event, until the topic ends. Computes windows without the model, which Flink lacks,
 * and commits with a checkpoint.
 *
 * @param topics features go to the scores topic, rejected events to the dead letters
 */
export async function flinkFeatures(brokers: readonly string[], topics: LoadTopics): Promise<FlinkRun> {
  const folder = mkdtempSync(path.join(tmpdir(), 'score-batch-bench-flink-'));
  try {
    const text = readFileSync(path.join(ROOT, 'jobs/fraud/fraud.features.yaml'), 'utf8');
    const features = readEventFeatures(text.replace('as_of: arrival', 'as_of: event'), 'fraud.features.yaml');
    const { input, scores, deadLetter } = topics;
    const places = { brokers, group: `${input}-flink`, input, features: scores, rejected: deadLetter };
    const script = flinkSql(features, places, { checkpointMs: CHECKPOINT_MS });
    const bounded = script.replace("'scan.startup.mode' =", "'scan.bounded.mode' = 'latest-offset',\n  'scan.startup.mode' =");
    const file = path.join(folder, 'job.sql');
    writeFileSync(file, `SET 'execution.checkpointing.dir' = 'file://${path.join(folder, 'checkpoints')}';\n\n${bounded}`);
    return await runFlink(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
