import { expect } from 'vitest';
import type { Evaluation } from '../../../src/domain/evaluation.ts';
import type { LedgerEntry } from '../../../src/domain/ledger.ts';
import { evaluationLayout } from '../../../src/domain/tables.ts';
import type { Amendment } from '../../../src/warehouse/publication-spec.ts';
import { emptyTables, entryOf, publishRun, WEEK, WEEK_BEFORE } from './run.ts';
import { type Area, JOB, withUsers } from './subject.ts';

const NAME = ['marketing', 'evaluation'];
const TABLE = evaluationLayout(NAME);

/** A row of the evaluation table whose values are of every type, some of them null. */
function row(entry: LedgerEntry, segment: string, values: Readonly<Record<string, string | null>> = {}): (string | null)[] {
  const all: Readonly<Record<string, string | null>> = {
    ...{ segment, segment_value: "it's \\ ü\n", contact_group: 'all', part: 'decile', bin: '3', users: '3000000000' },
    ...{ positives: '0', mean_score: '0.123456789', auc: '1', lift: '123456789.000000001', evaluated_at: entry.recordedAt },
    ...{ job: entry.job, window_label: entry.window.label, window_start: entry.window.start, window_end: entry.window.end },
    ...{ run_id: entry.runId, in_sample: 'false', ...values },
  };
  return TABLE.columns.map(({ name }) => all[name] ?? null);
}

/** What is added to a publication after it was made. */
export const amendment: Area = (it, makeSubject) => {
  it('replaces the rows of a window in a further table together with the ledger entry, for the published run alone', async () => {
    const subject = await withUsers(makeSubject, 30);
    const { warehouse } = subject;
    const { sink } = warehouse;
    const { ledger } = emptyTables();
    const shown = async () => {
      const columns = ['segment', 'users', 'mean_score', 'lift', 'in_sample', 'auc_low', 'segment_value', 'window_start'];
      return await sink.read(async (reader) => {
        const found = await reader.find(TABLE);
        const texts = columns.map((name) => {
          const column = TABLE.columns.find((one) => one.name === name);
          return column === undefined ? '' : reader.dialect.text(reader.dialect.identifier(name), column);
        });
        return found === undefined
          ? undefined
          : await reader.rows(`SELECT ${texts.join(', ')} FROM ${reader.dialect.table(found.name)} ORDER BY segment`);
      });
    };
    const amend = (entry: LedgerEntry, rows: Amendment['rows']) => sink.amend({ entry, ledger, table: TABLE, rows });
    const evaluated = (runId: string, window = WEEK) => ({
      ...entryOf(runId, window),
      state: 'completed' as const,
      details: { evaluation: { users: 30 } as Evaluation },
    });
    // Nothing is published yet.
    expect(await amend(evaluated('first'), [row(evaluated('first'), 'a')])).toBe(false);
    await publishRun(warehouse, 'before', { window: WEEK_BEFORE });
    await publishRun(warehouse, 'first');
    expect(await amend(evaluated('before', WEEK_BEFORE), [row(evaluated('before', WEEK_BEFORE), 'before')])).toBe(true);
    const many = Array.from({ length: 120 }, (_, i) =>
      row(evaluated('first'), `s${String(i).padStart(3, '0')}`, i === 0 ? {} : { in_sample: null, segment_value: null }),
    );
    expect(await amend(evaluated('first'), many)).toBe(true);
    const rows = await shown();
    expect(rows).toHaveLength(121);
    expect(rows?.[1]).toEqual([
      's000',
      '3000000000',
      '0.123456789',
      '123456789.000000001',
      'false',
      null,
      "it's \\ ü\n",
      '2026-11-16 05:00:00.000000',
    ]);
    expect(rows?.[120]?.[4]).toBeNull();

    // Again, with other rows, as after a process that was killed; another window and another job keep theirs.
    const other = { ...evaluated('first'), job: 'another' };
    expect(await amend(other, [row(other, 'other')])).toBe(false);
    expect(await amend(evaluated('first'), [row(evaluated('first'), 'again')])).toBe(true);
    expect((await shown())?.map(([segment]) => segment)).toEqual(['again', 'before']);

    await publishRun(warehouse, 'second', { supersedes: 'first' });
    expect(await amend(evaluated('first'), [row(evaluated('first'), 'late')])).toBe(false);
    expect((await shown())?.map(([segment]) => segment)).toEqual(['again', 'before']);
    // A value that the table cannot hold: neither the rows nor the entry.
    await expect(amend(evaluated('second'), [row(evaluated('second'), 'bad', { users: 'many' })])).rejects.toThrow();
    expect((await shown())?.map(([segment]) => segment)).toEqual(['again', 'before']);
    const entries = await warehouse.ledger(ledger).entries({ job: JOB, window: WEEK });
    expect(entries.map(({ runId, state, details }) => `${runId} ${state} ${JSON.stringify(details)}`)).toEqual([
      'first published {}',
      'first completed {"evaluation":{"users":30}}',
      'first completed {"evaluation":{"users":30}}',
      'second published {"repeats":1}',
    ]);
  });
};
