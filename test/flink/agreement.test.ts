import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { agree } from '../event-features/agreement/agree.ts';

/** Another log each day; `SCORE_BATCH_TEST_SEED` names one that failed. All 300,000 events: `npm run agree`. */
const SEED = Number(process.env.SCORE_BATCH_TEST_SEED ?? Math.floor(Date.now() / 86_400_000));

// Without Java there is no Flink.
it.skipIf(!inject('flink'))(`Flink SQL, DuckDB and the embedded windows agree on every row of seed ${SEED}`, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'score-batch-agree-'));
  try {
    const { verdicts, forms, verdictsThatDiffer } = await agree({
      events: 30_000,
      seed: SEED,
      asOf: 'event',
      flink: true,
      folder,
    });
    expect(Object.keys(forms)).toEqual(['duckdb', 'embedded', 'flink']);
    for (const [form, { rows, different, unpaired, features }] of Object.entries(forms))
      expect({ form, rows, different, unpaired, features }).toEqual({
        form,
        rows: verdicts.accepted,
        different: 0,
        unpaired: 0,
        features: {},
      });
    expect(verdictsThatDiffer).toEqual({ embedded: 0, flink: 0 });
    for (const verdict of ['late', 'duplicate', 'ahead of its timestamp']) expect(verdicts[verdict]).toBeGreaterThan(50);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
