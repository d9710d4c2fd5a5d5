import { expect } from 'vitest';
import type { Bands } from '../../../src/domain/bands.ts';
import { replacedLayout } from '../../../src/domain/replaced-tables.ts';
import type { TableLayout } from '../../../src/domain/tables.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { measured } from './drift.ts';
import { publishRun, stageAll, startRun, type TestRun, WEEK, WEEK_BEFORE } from './run.ts';
import { type Area, JOB, withUsers } from './subject.ts';

const ODD = "case when user_id < 5 then 'too odd' end";
const HIGHER = 'least(user_id + 100, 900) / 1000.0';

/** Publications that are replaced, kept and restored. */
export const history: Area = (it, makeSubject) => {
  it('keeps the rows that a publication replaces, and restores all tables byte for byte under the next number', async () => {
    const subject = await withUsers(makeSubject, 120);
    const { warehouse } = subject;
    await publishRun(warehouse, 'before', { window: WEEK_BEFORE });
    const first = await publishRun(warehouse, 'first', { ...DRIFT, reject: ODD });
    const then = await contents(first);
    await publishRun(warehouse, 'second', { ...DRIFT, supersedes: 'first', score: HIGHER });
    const now = await contents(first);
    expect(now).not.toEqual(then);
    expect(await keptRows(first)).toEqual({ 1: 115 });

    expect(await first.publish(undefined, { supersedes: 'second', restored: 1, details: ROLLBACK })).toBe(true);
    expect(await contents(first)).toEqual(then);
    expect(await keptRows(first)).toEqual({ 2: 120 });
    const entries = await warehouse.ledger(first.tables.ledger).entries({ job: JOB, window: WEEK });
    expect(entries.map(({ runId, publication }) => [runId, publication])).toEqual([
      ['first', 1],
      ['second', 2],
      ['first', 3],
    ]);
    // The same again finds it done.
    expect(await first.publish(undefined, { supersedes: 'second', restored: 1, details: ROLLBACK })).toBe(false);
    expect(await contents(first)).toEqual(then);
  });

  it('compares publications by number: a run that began before another was published and rolled back has lost', async () => {
    const subject = await withUsers(makeSubject, 30);
    const { warehouse } = subject;
    const first = await publishRun(warehouse, 'first');
    const late = await startRun(warehouse, 'late', { supersedes: 'first' });
    await stageAll(late, { score: HIGHER });
    await publishRun(warehouse, 'second', { supersedes: 'first', score: HIGHER });
    // It is `first` that is published when `late` publishes, as it was when it began.
    const slow = late.publish(async () => {
      await first.publish(undefined, { supersedes: 'second', restored: 1, details: ROLLBACK });
    }, FIRST_PUBLICATION);
    await expect(slow).rejects.toMatchObject({ kind: 'conflict' });
    expect(await keptRows(first)).toEqual({ 2: 30 });
  });

  it('keeps as many publications as it is told, and none if it is told none', async () => {
    const subject = await withUsers(makeSubject, 20);
    const { warehouse } = subject;
    const first = await publishRun(warehouse, 'first');
    for (const [i, runId] of ['second', 'third', 'fourth'].entries())
      await publishRun(warehouse, runId, { supersedes: ['first', 'second', 'third'][i] ?? '', history: 2 });
    expect(await keptRows(first)).toEqual({ 2: 20, 3: 20 });
    await publishRun(warehouse, 'fifth', { supersedes: 'fourth', history: 1 });
    expect(await keptRows(first)).toEqual({ 4: 20 });
    await publishRun(warehouse, 'sixth', { supersedes: 'fifth', history: 0 });
    expect(await keptRows(first)).toEqual({ 4: 20 });
  });

  it('refuses rows that were rolled back, and takes others', async () => {
    const subject = await withUsers(makeSubject, 20);
    const { warehouse } = subject;
    const first = await publishRun(warehouse, 'first');
    await publishRun(warehouse, 'second', { supersedes: 'first', score: HIGHER });
    await first.publish(undefined, { supersedes: 'second', restored: 1, details: ROLLBACK });
    const before = await contents(first);
    const again = await startRun(warehouse, 'again', { supersedes: 'first' });
    await stageAll(again, { score: HIGHER });
    await expect(again.publish(undefined, { rolledBack: 2 })).rejects.toMatchObject({ kind: 'refused' });
    expect(await contents(first)).toEqual(before);
    const other = await startRun(warehouse, 'other', { supersedes: 'first' });
    await stageAll(other, { score: '0.125' });
    expect(await other.publish(undefined, { rolledBack: 2 })).toBe(true);
  });

  it('restores nothing if the kept rows are not all there', async () => {
    const subject = await withUsers(makeSubject, 20);
    const { warehouse } = subject;
    const first = await publishRun(warehouse, 'first');
    await publishRun(warehouse, 'second', { supersedes: 'first', score: HIGHER });
    const before = await contents(first);
    await subject.execute(`delete from ${subject.table(replacedLayout(first.tables.scores).name)} where rank = 3`);
    const restoring = first.publish(undefined, { supersedes: 'second', restored: 1, details: ROLLBACK });
    await expect(restoring).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining('not complete') });
    expect(await contents(first)).toEqual(before);
  });

  it('restores a slim table, in which the number tells the publication', async () => {
    const subject = await withUsers(makeSubject, 20);
    const { warehouse } = subject;
    const bands: Bands = { by: 'threshold', bounds: [{ name: 'high', bound: 100_000 }], rest: 'low' };
    const slim = { layout: 'slim', bands } as const;
    const first = await publishRun(warehouse, 'first', slim);
    const then = await contents(first);
    await publishRun(warehouse, 'second', { ...slim, supersedes: 'first', score: HIGHER });
    await first.publish(undefined, { supersedes: 'second', restored: 1, details: ROLLBACK });
    const numbered = (rows: readonly string[] | undefined, number: number) =>
      rows?.map((row) => row.replace(/[^|]*$/, String(number)));
    expect((await contents(first)).scores).toEqual(numbered(then.scores, 3));
  });
};

const DRIFT = { drift: measured(0.5, ['a', 'b']) };

const ROLLBACK = {
  rollback: { publication: 1, from: { run_id: 'second', publication: 2 }, reason: null, user: null },
};

const FIRST_PUBLICATION = { supersedes: 'first' };

/** All rows of all tables of the run's job, each as one text. */
async function contents({ warehouse, tables }: TestRun): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const [part, layout] of Object.entries(tables))
    if (layout !== undefined && part !== 'ledger') found[part] = await rowsOf(warehouse, layout);
  return found;
}

async function rowsOf(warehouse: Warehouse, layout: TableLayout): Promise<string[]> {
  return await warehouse.sink.read(async ({ dialect, find, rows }) => {
    const table = await find(layout);
    if (table === undefined) return [];
    const list = layout.columns.map((column, i) => `${dialect.text(dialect.identifier(column.name), column)} AS c${i}`);
    const found = await rows(`SELECT ${list.join(', ')} FROM ${dialect.table(table.name)} published`);
    return found.map((cells) => cells.join('|')).sort();
  });
}

/** Kept scores by publication. */
async function keptRows({ warehouse, tables }: TestRun): Promise<Record<string, number>> {
  const kept = await rowsOf(warehouse, replacedLayout(tables.scores));
  const numbers = kept.map((row) => row.split('|').at(-3) ?? '');
  return Object.fromEntries([...new Set(numbers)].sort().map((one) => [one, numbers.filter((other) => other === one).length]));
}
