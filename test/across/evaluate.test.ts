import { describe, expect, it } from 'vitest';
import { query } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { EMPTY, FILL, missing, weekEnvironment, weeklyProject } from './week.ts';

// Labels in one warehouse, scores in another: the keys meet by their hash, and the measures are the same everywhere.

const PAIRS = [
  ['duckdb', 'duckdb'],
  ['bigquery', 'snowflake'],
  ['snowflake', 'bigquery'],
] as const;

/** Of 1997-W07, as docs/evaluation.md and models/churn/model.yaml have it. */
const EXPECTED = { users: 1973, positives: 1650, published: 1973, missing: 0, labels: 1973, unmatched: 0, in_sample: false };

describe.each(PAIRS)('from %s to %s', (from, to) => {
  // Without an emulator there is no such warehouse; in CI that is a failure of the run.
  it.skipIf(missing[from] || missing[to])('evaluates a week', async () => {
    const [source, sink] = [await FILL[from](), await EMPTY[to]()];
    const folder = await weeklyProject();
    const environment = weekEnvironment(source, sink);
    const run = await scoreBatch(folder, ['-q', '--week'], { ...environment, SCORE_BATCH_NOW: '1997-02-17T08:00:00-05:00' });
    expect(run.code, run.stderr).toBe(0);
    const flags = ['evaluate', '--week', '1997-W07', '--json'];
    const late = { ...environment, SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00' };
    // Twice, since the second replaces what the first has written.
    for (const { code, stdout, stderr } of [await scoreBatch(folder, flags, late), await scoreBatch(folder, flags, late)]) {
      expect(code, stderr).toBe(0);
      const found = JSON.parse(stdout) as Record<string, number>;
      expect(found).toMatchObject(EXPECTED);
      expect(found.auc).toBeCloseTo(0.5679, 4);
      expect(found.auc_low).toBeCloseTo(0.5321, 3);
      expect(found.brier).toBeCloseTo(0.1344, 4);
    }
    if (to !== 'duckdb') return;
    const [rows] = await query(sink.slice('duckdb:'.length), 'select count(*) as n from marketing.churn_scores_evaluation');
    expect(Number(rows?.n)).toBeGreaterThan(50);
  });
});
