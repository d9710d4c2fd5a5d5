import { expect } from 'vitest';
import { currentPublication } from '../../../src/domain/ledger.ts';
import type { Ledger } from '../../../src/warehouse/warehouse.ts';
import { emptyTables, entryOf, publishRun, WEEK, WEEK_BEFORE } from './run.ts';
import { type Area, JOB, openSubject, withUsers } from './subject.ts';

/** What every warehouse promises as a ledger. */
export const ledger: Area = (it, makeSubject) => {
  it('gives entries back as they were, in the order in which they were written', async () => {
    const { warehouse } = await openSubject(makeSubject);
    const ledger = warehouse.ledger(emptyTables().ledger);
    expect(await ledger.entries({})).toEqual([]);
    const entries = [
      { ...entryOf('b', WEEK), details: { sql: `select 'ü' -- "x"\n;`, score_psi: 0.123456789 } },
      { ...entryOf('a', WEEK), state: 'failed' as const, recordedAt: '2020-01-01T00:00:00.123Z' },
      { ...entryOf('b', WEEK_BEFORE), publication: 3, rows: { frozen: 3_000_000_000, scored: 1, quarantined: 2 } },
      { ...entryOf('c', WEEK), job: 'another' },
    ];
    for (const entry of entries) await ledger.append(entry);
    expect(await ledger.entries({})).toEqual(entries);
    expect(await ledger.entries({ job: JOB })).toEqual(entries.slice(0, 3));
    expect(await ledger.entries({ job: JOB, window: WEEK })).toEqual(entries.slice(0, 2));
    expect(await ledger.entries({ job: JOB, runs: ['b', "it's none"] })).toEqual([entries[0], entries[2]]);
    expect(await ledger.entries({ job: JOB, newest: 2 })).toEqual(entries.slice(1, 3));
    expect(await ledger.entries({ job: JOB, window: WEEK, newest: 5 })).toEqual(entries.slice(0, 2));
  });

  it('lets only the published run of the window work and add its entry', async () => {
    const { warehouse } = await withUsers(makeSubject, 30);
    const first = await publishRun(warehouse, 'first');
    await publishRun(warehouse, 'before', { window: WEEK_BEFORE });
    await publishRun(warehouse, 'second', { supersedes: 'first' });
    const ledger = warehouse.ledger(first.tables.ledger);
    const filter = { job: JOB, window: WEEK };
    const worked: string[] = [];
    const completeIfCurrent = (runId: string) =>
      ledger.decide(filter, async (entries) => {
        if (currentPublication(entries)?.runId !== runId) return { result: false };
        worked.push(runId);
        return { append: { ...entryOf(runId, WEEK), state: 'completed' as const }, result: true };
      });
    expect(await completeIfCurrent('first')).toBe(false);
    expect(await completeIfCurrent('second')).toBe(true);
    const failing = ledger.decide(filter, () => Promise.reject(new Error('no room')));
    await expect(failing).rejects.toThrow('no room');
    expect(worked).toEqual(['second']);
    const states = (await ledger.entries(filter)).map(({ runId, state }) => `${runId} ${state}`);
    expect(states).toEqual(['first published', 'second published', 'second completed']);
  });

  it('lets one of two processes after the other decide, each with what the one before wrote', async () => {
    const subject = await makeSubject();
    const layout = emptyTables().ledger;
    const ledgers = [subject.open().ledger(layout), subject.open().ledger(layout)];
    const seen: number[] = [];
    const decideOnce = (ledger: Ledger, runId: string) =>
      ledger.decide({ job: JOB, window: WEEK }, async (entries) => {
        seen.push(entries.length);
        return { append: entryOf(runId, WEEK), result: undefined };
      });
    await Promise.all(ledgers.map((ledger, i) => decideOnce(ledger, `run-${i}`)));
    const [ledger] = ledgers;
    expect(await ledger?.entries({ job: JOB })).toHaveLength(2);
    // A decision on outdated entries was made again.
    expect(seen.slice(-1)).toEqual([1]);
  });
};
