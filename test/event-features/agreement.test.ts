import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { agree, trap } from './agreement/agree.ts';
import { disagreeing } from './agreement/compare.ts';

/** Another log each day; `SCORE_BATCH_TEST_SEED` names one that failed. With Flink: test/flink/agreement.test.ts */
const SEED = Number(process.env.SCORE_BATCH_TEST_SEED ?? Math.floor(Date.now() / 86_400_000));

it.each(['event', 'arrival'] as const)(
  `DuckDB and the embedded windows agree as of %s on every row of seed ${SEED}`,
  async (asOf) => {
    await inFolder(async (folder) => {
      const { verdicts, forms, verdictsThatDiffer } = await agree({ events: 20_000, seed: SEED, asOf, folder });
      expect(verdicts.accepted).toBeGreaterThan(15_000);
      expect(disagreeing(forms)).toEqual({});
      for (const { rows } of Object.values(forms)) expect(rows).toBe(verdicts.accepted);
      expect(Object.keys(forms)).toEqual(['duckdb', 'embedded']);
      expect(verdictsThatDiffer).toEqual({ embedded: 0 });
    });
  },
);

it('what is scored at once differs from SQL as of event: a file must say which it is', async () => {
  await inFolder(async (folder) => {
    const { different, unpaired } = await trap({ events: 5_000, seed: SEED, folder });
    expect(different).toBeGreaterThan(50);
    expect(unpaired).toBe(0);
  });
});

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'score-batch-agree-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
