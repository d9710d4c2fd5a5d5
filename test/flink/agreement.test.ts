import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { agree, type FlinkJob } from '../event-features/agreement/agree.ts';
import { disagreeing } from '../event-features/agreement/compare.ts';
import { runOverFiles } from './file-job.ts';
import { runOverKafka } from './kafka-job.ts';

/** Another log each day; `SCORE_BATCH_TEST_SEED` names one that failed. All 300,000 events: `npm run agree`. */
const SEED = Number(process.env.SCORE_BATCH_TEST_SEED ?? Math.floor(Date.now() / 86_400_000));

// Without Java there is no Flink.
it.skipIf(!inject('flink'))(`Flink SQL, DuckDB and the embedded windows agree on every row of seed ${SEED}`, () =>
  expectAgreement(30_000, runOverFiles),
);

// Nor is there Kafka.
it.skipIf(inject('kafka') === undefined || !inject('flink'))(`so they do over the topics of a real Kafka, seed ${SEED}`, () =>
  expectAgreement(8_000, (features, log, output) => runOverKafka(inject('kafka') ?? [], features, log, output)),
);

async function expectAgreement(events: number, flink: FlinkJob): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'score-batch-agree-'));
  try {
    const { verdicts, forms, verdictsThatDiffer } = await agree({
      events,
      seed: SEED,
      gaps: false,
      asOf: 'event',
      flink,
      folder,
    });
    expect(Object.keys(forms)).toEqual(['duckdb', 'embedded', 'flink']);
    expect(disagreeing(forms)).toEqual({});
    for (const { rows } of Object.values(forms)) expect(rows).toBe(verdicts.accepted);
    expect(verdictsThatDiffer).toEqual({ embedded: 0, flink: 0 });
    for (const verdict of ['late', 'duplicate', 'ahead of its timestamp']) expect(verdicts[verdict]).toBeGreaterThan(10);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
