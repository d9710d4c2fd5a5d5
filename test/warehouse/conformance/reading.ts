import { expect } from 'vitest';
import { readScores } from './published.ts';
import { NAMES, publishRun } from './run.ts';
import { type Area, withUsers } from './subject.ts';

/** Published rows, read back. */
export const reading: Area = (it, makeSubject) => {
  it('reads a long publication back in the order of its ranks', async () => {
    const rows = 300_000;
    const { warehouse } = await withUsers(makeSubject, rows);
    const run = await publishRun(warehouse, 'run', { chunkRows: 50_000, score: '(user_id % 1000) / 1000.0' });
    const published = await readScores(run);
    expect(published).toHaveLength(rows);
    // Falling scores; equal ones by the key.
    const expected = Array.from({ length: rows }, (_, i) => ({ score: (i % 1000) / 1000, id: i }))
      .sort((a, b) => b.score - a.score || a.id - b.id)
      .map(({ id }, i) => `${i + 1} ${id}`);
    expect(published.findIndex(({ rank, user_id }, i) => `${rank} ${user_id}` !== expected[i])).toBe(-1);
  });

  it('tells that ranks are missing from what is published', async () => {
    const subject = await withUsers(makeSubject, 300);
    const run = await publishRun(subject.warehouse, 'run');
    expect(await readScores(run)).toHaveLength(300);
    await subject.execute(`delete from ${subject.table(NAMES.scores)} where user_id = 150`);
    expect(await readScores(run)).toEqual([]);
  });
};
