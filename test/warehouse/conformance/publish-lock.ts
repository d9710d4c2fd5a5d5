import { expect } from 'vitest';
import { counts, readScores } from './published.ts';
import { NAMES, publishRun, stageAll, startRun, WEEK, WEEK_BEFORE } from './run.ts';
import { type Area, JOB, withUsers } from './subject.ts';

/** Publications that meet, fail or come too late. */
export const publishLock: Area = (it, makeSubject) => {
  it('publishes nothing where what was counted is not what would be published', async () => {
    const subject = await withUsers(makeSubject, 300);
    await publishRun(subject.warehouse, 'before', { window: WEEK_BEFORE });
    const before = await counts(subject);
    const run = await startRun(subject.warehouse, 'run');
    await stageAll(run);
    await expect(run.publish(subject.alterStaged)).rejects.toMatchObject({ kind: 'refused' });
    expect(await counts(subject)).toEqual(before);
  });

  it('leaves every table as it was where a part of a publication fails', async () => {
    const subject = await withUsers(makeSubject, 300);
    const { warehouse } = subject;
    const first = await publishRun(warehouse, 'first', { reject: "case when user_id < 5 then 'too odd' end" });
    const before = [await counts(subject), await readScores(first)];
    // The last table that is written.
    await subject.execute(`alter table ${subject.table(NAMES.summary)} drop column users`);
    const second = await startRun(warehouse, 'second', { supersedes: 'first' });
    await stageAll(second);
    await expect(second.publish()).rejects.toThrow();
    expect([await counts(subject), await readScores(first)]).toEqual(before);
    const entries = await warehouse.ledger(first.tables.ledger).entries({ job: JOB, window: WEEK });
    expect(entries.map(({ runId }) => runId)).toEqual(['first']);
  });

  it('lets the first of two runs publish, and changes nothing for the second', async () => {
    const subject = await withUsers(makeSubject, 300);
    const { warehouse } = subject;
    const first = await startRun(warehouse, 'first');
    const second = await startRun(warehouse, 'second');
    await stageAll(first);
    await stageAll(second, { reject: "case when user_id < 5 then 'too odd' end" });
    await first.publish();
    const before = [await counts(subject), await readScores(first)];
    await expect(second.publish()).rejects.toMatchObject({ kind: 'conflict' });
    expect([await counts(subject), await readScores(first)]).toEqual(before);
    expect(await warehouse.ledger(first.tables.ledger).entries({ job: JOB })).toHaveLength(1);
  });

  it('takes chunks from two machines, and publishes once what both of them staged', async () => {
    const subject = await withUsers(makeSubject, 300);
    const [one, two] = [subject.open(), subject.open()];
    const runs = [await startRun(one, 'run'), await startRun(two, 'run')] as const;
    expect(runs[1].frozen).toEqual(runs[0].frozen);
    await Promise.all(runs.map((run, i) => run.stage(i, 'aaaa')));
    await runs[1].stage(2, 'bbbb');
    await runs[0].stage(2, 'cccc');
    expect((await runs[0].tally()).pinned.map(({ attempt }) => attempt.slice(-4))).toEqual(['aaaa', 'aaaa', 'bbbb']);
    expect(await runs[0].publish()).toBe(true);
    expect(await runs[1].publish()).toBe(false);
    expect(await readScores(runs[1])).toHaveLength(300);
    expect(await counts(subject)).toMatchObject({ scores: 300 });
  });

  it('lets one of two runs publish that come to the gate at the same time', async () => {
    const subject = await withUsers(makeSubject, 100);
    const runs = [await startRun(subject.open(), 'one'), await startRun(subject.open(), 'two')];
    for (const run of runs) await stageAll(run);
    const ends = await Promise.allSettled(runs.map((run) => run.publish()));
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(ends.find((end) => end.status === 'rejected')?.reason).toMatchObject({ kind: 'conflict' });
    expect(await counts(subject)).toMatchObject({ scores: 100, report: 100 });
  });

  it('publishes once where two processes of one run come to the gate at the same time', async () => {
    const subject = await withUsers(makeSubject, 100);
    const run = await startRun(subject.open(), 'run');
    await stageAll(run);
    const other = await startRun(subject.open(), 'run');
    const published = await Promise.all([run.publish(), other.publish()]);
    expect(published.sort()).toEqual([false, true]);
    expect(await counts(subject)).toMatchObject({ scores: 100, report: 100 });
  });
};
