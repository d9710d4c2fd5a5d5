import { expect } from 'vitest';
import { SKIP_KEY } from '../../../src/domain/staged-columns.ts';
import { readScores } from './published.ts';
import { attemptOf, EDGES, startRun } from './run.ts';
import { type Area, withUsers } from './subject.ts';

const SMALLEST = '-9223372036854775808';
const LARGEST = '9223372036854775807';

/** What is staged, and what of it counts. */
export const staging: Area = (it, makeSubject) => {
  it('takes a chunk twice, and pins one attempt of it', async () => {
    const run = await startRun((await withUsers(makeSubject, 300)).warehouse, 'run');
    const { warehouse, frozen } = run;
    expect(await warehouse.sink.staged('run')).toEqual([]);
    for (const { chunk } of frozen.chunks) await run.stage(chunk, 'aaaa');
    await run.stage(1, 'bbbb');
    await run.stage(1, 'bbbb');
    const staged = await warehouse.sink.staged('run');
    const rows = frozen.chunks.map((chunk) => chunk.rows);
    expect([...staged].sort((a, b) => a.chunk - b.chunk || (a.attempt < b.attempt ? -1 : 1))).toEqual([
      { chunk: 0, attempt: attemptOf(frozen.id, 'aaaa'), rows: rows[0] },
      { chunk: 1, attempt: attemptOf(frozen.id, 'aaaa'), rows: rows[1] },
      { chunk: 1, attempt: attemptOf(frozen.id, 'bbbb'), rows: rows[1] },
      { chunk: 2, attempt: attemptOf(frozen.id, 'aaaa'), rows: rows[2] },
    ]);
    expect(await warehouse.sink.staged('other')).toEqual([]);
    const { pinned } = await run.tally();
    expect(pinned.map(({ chunk, attempt }) => `${chunk} ${attempt.slice(-4)}`)).toEqual(['0 aaaa', '1 aaaa', '2 aaaa']);
    await run.publish();
    expect(await readScores(run)).toHaveLength(300);
  });

  it('pins nothing of another frozen table or of two scorers, though rows and keys are equal', async () => {
    const run = await startRun((await withUsers(makeSubject, 300)).warehouse, 'run');
    const other = { frozen: '0'.repeat(12) };
    for (const { chunk } of run.frozen.chunks) await run.stage(chunk, 'aaaa', other);
    expect(await run.tally()).toMatchObject({ pinned: [], missing: [0, 1, 2] });
    await run.stage(0, 'bbbb');
    for (const chunk of [1, 2]) await run.stage(chunk, 'cccc', { scorer: '1'.repeat(8) });
    expect(await run.tally()).toMatchObject({ missing: [0], mismatched: [] });
    await run.stage(0, 'dddd', { scorer: '1'.repeat(8) });
    const { pinned } = await run.tally();
    expect(pinned.map(({ attempt, facts }) => [attempt.slice(-4), facts?.scorer.provider])).toEqual([
      ['dddd', 'cpu'],
      ['cccc', 'cpu'],
      ['cccc', 'cpu'],
    ]);
  });

  it('counts what is staged: rows, keys, rejections and scores', async () => {
    const run = await startRun((await withUsers(makeSubject, 300)).warehouse, 'run', { edges: EDGES });
    const reject = "case when user_id % 100 = 7 then 'too odd' when user_id % 100 = 8 then 'null key' end";
    await run.stage(0, 'aaaa', { reject });
    await run.stage(1, 'aaaa', { reject, provider: 'cuda' });
    // One row short: never complete.
    await run.stage(2, 'aaaa', { where: 'user_id <> (select min(user_id) from chunk)' });
    expect(await run.tally()).toMatchObject({ missing: [2], mismatched: [] });
    await run.stage(2, 'bbbb', { reject });
    const { pinned, missing, mismatched, rejections, scoreCounts } = await run.tally();
    expect({ missing, mismatched }).toEqual({ missing: [], mismatched: [] });
    expect(pinned.map(({ chunk, attempt, rows, checksum }) => ({ chunk, attempt, rows, checksum }))).toEqual(
      run.frozen.chunks.map(({ chunk, rows, checksum }) => ({
        chunk,
        rows,
        checksum,
        attempt: attemptOf(run.frozen.id, chunk === 2 ? 'bbbb' : 'aaaa'),
      })),
    );
    expect(pinned.map(({ provider }) => provider)).toEqual(['cpu', 'cuda', 'cpu']);
    expect(pinned.reduce((sum, { scored }) => sum + scored, 0)).toBe(294);
    expect([...rejections].sort((a, b) => (a.reason < b.reason ? -1 : 1))).toEqual([
      { reason: 'null key', columnName: 'a', rows: 3 },
      { reason: 'too odd', columnName: 'a', rows: 3 },
    ]);
    // Scores are user_id / 1000 without six users below 0.3: [0, 0.25), [0.25, 0.5), [0.5, 1].
    expect(scoreCounts).toEqual([244, 50, 0]);
  });

  it('stages the skip keys of a slice: 64 bits of each scored row, and null for the others', async () => {
    const subject = await withUsers(makeSubject, 300);
    const run = await startRun(subject.warehouse, 'run');
    const skipKey = `case user_id when 0 then ${SMALLEST} when 299 then ${LARGEST} else -user_id end`;
    for (const { chunk } of run.frozen.chunks)
      await run.stage(chunk, 'aaaa', { skipKey, reject: "case when user_id = 7 then 'too odd' end" });
    expect(await run.tally()).toMatchObject({ missing: [], mismatched: [] });
    const shown = await subject.warehouse.sink.showStaged('run', (dialect, staged) => {
      const text = (column: string) => dialect.text(column, { type: 'integer' });
      return `select ${text('key_0')} as id, ${text(SKIP_KEY)} as skip from ${staged} where key_0 in (0, 7, 150, 299)`;
    });
    const found = (await subject.rows(shown)).map((row) => Object.values(row).map((cell) => cell && String(cell)));
    expect(found.sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual([
      ['0', SMALLEST],
      ['7', null],
      ['150', '-150'],
      ['299', LARGEST],
    ]);
    await run.publish();
    expect(await readScores(run)).toHaveLength(299);
  });

  it('tells other keys than the frozen ones apart, though their number is right', async () => {
    const run = await startRun((await withUsers(makeSubject, 300)).warehouse, 'run');
    for (const { chunk } of run.frozen.chunks) await run.stage(chunk, 'aaaa', chunk === 1 ? { key: 'user_id + 1000' } : {});
    expect(await run.tally()).toMatchObject({ missing: [], mismatched: [1] });
  });
};
