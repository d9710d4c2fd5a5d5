import { expect } from 'vitest';
import type { TableReader } from '../../../src/warehouse/reader.ts';
import { countCurrent } from '../../../src/warehouse/sql/current-counts.ts';
import { EDGES } from './run.ts';
import { hour, publishSlice, type Slice, type SliceRow, startSlice, textsOf } from './slice.ts';
import { type Area, openSubject } from './subject.ts';

/** Slices in the current table. */
export const current: Area = (it, makeSubject) => {
  it('puts users in, and replaces of them only what has changed', async () => {
    const subject = await openSubject(makeSubject);
    const first = await publishSlice(
      subject,
      1,
      [user(1, 0.25, 11), user(2, 0.75, 12), user(3, 0.5, 13), user(4, 0.1, 14)],
      ALL,
    );
    expect(await first.rows()).toEqual({
      1: row({ user_id: '1', score: '0.25', band: 'low', skip_key: '11' }),
      2: row({ user_id: '2', score: '0.75', band: 'high', skip_key: '12' }),
      3: row({ user_id: '3', score: '0.5', band: 'high', skip_key: '13' }),
      4: row({ user_id: '4', score: '0.1', band: 'low', skip_key: '14' }),
    });
    // The features of 1 are the same, and its score of then holds; 2 and 3 have others, and 3 the same score of them.
    await publishSlice(subject, 2, [{ ...user(1, 0.26, 11), country: 'FR' }, user(2, 0.4, 22), user(3, 0.5, 23)]);
    const now = { position: '2', as_of: at(2) };
    const scored = { ...now, run_id: 'slice2', scored_at: at(2) };
    const second = {
      1: row({ ...now, user_id: '1', country: 'FR', score: '0.25', band: 'low', skip_key: '11' }),
      2: row({
        ...scored,
        ...{ user_id: '2', score: '0.4', band: 'low', skip_key: '22', previous_score: '0.75', changed_at: at(2) },
      }),
      3: row({ ...scored, user_id: '3', score: '0.5', band: 'high', skip_key: '23' }),
      4: row({ user_id: '4', score: '0.1', band: 'low', skip_key: '14' }),
    };
    expect(await first.rows()).toEqual(second);
    // Another model scores all again, whatever their features.
    await publishSlice(subject, 3, [user(1, 0.9, 11)], { model: OTHER });
    expect(await first.rows()).toEqual({
      ...second,
      1: row({
        ...{ user_id: '1', score: '0.9', band: 'high', skip_key: '11', previous_score: '0.25', changed_at: at(3) },
        ...{ position: '3', as_of: at(3), run_id: 'slice3', scored_at: at(3) },
        ...{ model_version: OTHER.version, model_digest: OTHER.digest },
      }),
    });
  });

  it('takes the score of a user who cannot be scored, says why, and gives it back with what it was before', async () => {
    const subject = await openSubject(makeSubject);
    const first = await publishSlice(subject, 1, [user(1, 0.25, 11), user(2, 0.75, 12)], ALL);
    await publishSlice(subject, 2, [{ key: ['1'], country: 'FR', reason: 'unknown category' }, NULL_KEY]);
    const rejected = { ...UNSCORED, user_id: '1', country: 'FR', position: '2', as_of: at(2), run_id: 'slice2' };
    const second = row({ ...rejected, reason: 'unknown category', previous_score: '0.25', changed_at: at(2) });
    expect((await first.rows())[1]).toEqual(second);
    expect(Object.keys(await first.rows())).toEqual(['1', '2']);
    expect(await quarantineOf(first)).toEqual(['1 unknown category slice2', 'null null key slice2']);
    const { sink } = subject.warehouse;
    const { job, window } = first.spec.entry;
    expect(await sink.differences(first.tables)).toEqual([]);
    expect(await sink.held(first.tables, job, [window])).toMatchObject([{ table: 'quarantine', runId: 'slice2', rows: 2 }]);
    expect(await sink.otherJobs(first.tables, job)).toEqual([]);
    // Nothing has changed, though it is read again.
    await publishSlice(subject, 3, [{ key: ['1'], country: 'FR', reason: 'unknown category' }]);
    expect((await first.rows())[1]).toEqual({ ...second, position: '3', as_of: at(3), run_id: 'slice3' });
    await publishSlice(subject, 4, [{ key: ['1'], country: 'FR', reason: 'feature out of range' }]);
    expect((await first.rows())[1]).toMatchObject({
      reason: 'feature out of range',
      changed_at: at(4),
      previous_score: '0.25',
    });
    await publishSlice(subject, 5, [user(1, 0.5, 11)]);
    expect((await first.rows())[1]).toMatchObject({
      ...{ score: '0.5', reason: null, band: 'high', changed_at: at(5), previous_score: '0.25', scored_at: at(5) },
    });
  });

  it('says why a user has no score until a slice has read the user again, or does not find them any more', async () => {
    const subject = await openSubject(makeSubject);
    const rejected = (id: number, reason = 'unknown category'): SliceRow => ({ key: [String(id)], country: 'FR', reason });
    const rows = [...[1, 2, 3, 4].map((id) => rejected(id)), rejected(5, 'duplicate key'), rejected(5, 'duplicate key')];
    const first = await publishSlice(subject, 1, [user(9, 0.25, 19), ...rows, NULL_KEY], ALL);
    const kept = ['4 unknown category slice1', '5 duplicate key slice1', '5 duplicate key slice1', 'null null key slice1'];
    const all = ['1', '2', '3'].map((id) => `${id} unknown category slice1`);
    // Nobody of them was read, and nobody at all.
    await publishSlice(subject, 2, [user(9, 0.5, 29)]);
    await publishSlice(subject, 3, []);
    expect(await quarantineOf(first)).toEqual([...all, ...kept]);
    // Scored, rejected for another reason, deleted.
    await publishSlice(subject, 4, [user(1, 0.5, 11), rejected(2, 'feature out of range')], { gone: [['3']] });
    expect(await quarantineOf(first)).toEqual(['2 feature out of range slice4', ...kept]);
    // Each user with a reason has a row that says so.
    const unscored = Object.values(await first.rows()).filter(({ reason }) => reason !== null);
    expect(unscored.map(({ user_id }) => user_id)).toEqual(['2', '4', '5']);
    await publishSlice(subject, 5, [user(9, 0.5, 29), rejected(2)], ALL);
    expect(await quarantineOf(first)).toEqual(['2 unknown category slice5']);
  });

  it('has one row for a key that stands in several rows', async () => {
    const subject = await openSubject(makeSubject);
    const repeated = (country: string): SliceRow => ({ key: ['1'], country, reason: 'duplicate key' });
    const first = await publishSlice(subject, 1, [repeated('DE'), repeated('FR'), repeated('DE'), user(2, 0.75, 12)], ALL);
    const rows = await first.rows();
    expect(Object.keys(rows)).toEqual(['1', '2']);
    expect(rows[1]).toMatchObject({ ...UNSCORED, reason: 'duplicate key', country: expect.stringMatching(/DE|FR/) });
    expect(await quarantineOf(first)).toHaveLength(3);
    await publishSlice(subject, 2, [repeated('FR'), repeated('DE'), repeated('DE')]);
    expect((await first.rows())[1]).toEqual({ ...rows[1], position: '2', as_of: at(2), run_id: 'slice2' });
  });

  it('marks users as deleted that are gone, once, and takes them back', async () => {
    const subject = await openSubject(makeSubject);
    const first = await publishSlice(subject, 1, [user(1, 0.25, 11), user(2, 0.75, 12), user(3, 0.5, 13)], ALL);
    const before = await first.rows();
    // Nobody knows 9.
    await publishSlice(subject, 2, [user(3, 0.5, 13)], { gone: [['1'], ['2'], ['9']] });
    const deleted = {
      ...before[1],
      ...{ ...UNSCORED, deleted: 'true', previous_score: '0.25', changed_at: at(2) },
      ...{ position: '2', as_of: at(2), run_id: 'slice2' },
    };
    const second = await first.rows();
    expect(Object.keys(second)).toEqual(['1', '2', '3']);
    expect(second[1]).toEqual(deleted);
    expect(second[2]).toMatchObject({ deleted: 'true', previous_score: '0.75' });
    // 1 is gone already; 2 is back.
    await publishSlice(subject, 3, [user(2, 0.75, 12)], { gone: [['1']] });
    const third = await first.rows();
    expect(third[1]).toEqual(deleted);
    expect(third[2]).toEqual({
      ...before[2],
      ...{ changed_at: at(3), previous_score: '0.75', position: '3', as_of: at(3), run_id: 'slice3', scored_at: at(3) },
    });
    // All users at once: 3 is not among them.
    await publishSlice(subject, 4, [user(2, 0.75, 12), user(5, 0.1, 15)], ALL);
    const fourth = await first.rows();
    expect(fourth[1]).toEqual(deleted);
    expect(fourth[2]).toEqual({ ...third[2], position: '4', as_of: at(4) });
    expect(fourth[3]).toMatchObject({ ...UNSCORED, deleted: 'true', previous_score: '0.5', position: '4' });
    // And none at all.
    await publishSlice(subject, 5, [], ALL);
    const fifth = await first.rows();
    expect(Object.values(fifth).map(({ deleted: gone, position }) => `${gone} ${position}`)).toEqual([
      'true 2',
      'true 5',
      'true 4',
      'true 5',
    ]);
  });

  it('marks users as deleted among more keys than a statement names', async () => {
    const subject = await openSubject(makeSubject);
    const first = await publishSlice(subject, 1, [user(1, 0.25, 11), user(2, 0.75, 12), user(3, 0.5, 13)], ALL);
    const gone = Array.from({ length: 1001 }, (_, i) => [String(i === 1000 ? 3 : i + 100)]);
    await publishSlice(subject, 2, [user(1, 0.3, 21)], { gone });
    const rows = Object.values(await first.rows());
    expect(rows.map(({ user_id, deleted }) => `${user_id} ${deleted}`)).toEqual(['1 false', '2 false', '3 true']);
  });

  it('finds users by keys of several columns of every type', async () => {
    const subject = await openSubject(makeSubject);
    const kinds = subject.kinds.filter(({ column }) => column.type !== 'float');
    const key = kinds.map(({ column }) => column.name.toLowerCase());
    const of = (which: 0 | 1, score: number, part = -1): SliceRow => ({
      key: kinds.map(({ expressions }, i) => expressions[i === part ? 1 - which : which] ?? ''),
      score,
      features: score,
    });
    // The third differs from the first in its last part only.
    const first = await publishSlice(subject, 1, [of(0, 100), of(1, 200), of(0, 300, key.length - 1)], { key, whole: true });
    const names = Object.entries(await first.rows());
    expect(names.map(([, found]) => found.score).sort()).toEqual(['0.1', '0.2', '0.3']);
    const gone = names.filter(([, { score }]) => score === '0.3').map(([, found]) => key.map((name) => found[name] ?? null));
    await publishSlice(subject, 2, [of(0, 400)], { key, gone });
    const rows = Object.values(await first.rows());
    expect(rows.map(({ score, previous_score, deleted }) => `${score} ${previous_score} ${deleted}`).sort()).toEqual([
      '0.2 null false',
      '0.4 0.1 false',
      'null 0.3 true',
    ]);
  });

  it('publishes a slice once, and none that another one has come before', async () => {
    const subject = await openSubject(makeSubject);
    const first = await publishSlice(subject, 1, [user(1, 0.25, 11)], ALL);
    const late = await startSlice(subject, 2, [user(1, 0.9, 19), user(3, 0.9, 13)]);
    const second = await publishSlice(subject, 3, [user(1, 0.5, 21)], { gone: [['2']] });
    const before = await first.rows();
    expect(await second.publish()).toBe(false);
    await expect(late.publish()).rejects.toMatchObject({ kind: 'conflict' });
    expect(await first.rows()).toEqual(before);
    // Nor one whose position is not higher than that of a row, or beside users of another job.
    const third = await startSlice(subject, 4, [user(3, 0.9, 13)]);
    for (const other of ['position = 7', "position = 1, job = 'another'"]) {
      await subject.execute(`update ${subject.table(first.table.name)} set ${other} where user_id = 1`);
      const changed = await first.rows();
      await expect(third.publish()).rejects.toMatchObject({ kind: 'conflict' });
      expect(await first.rows()).toEqual(changed);
    }
  });

  it('publishes no slice whose rows are others than were counted, nor beside a user who stands there twice', async () => {
    const subject = await openSubject(makeSubject);
    const first = await publishSlice(subject, 1, [user(0, 0.25, 10), user(1, 0.25, 11)], ALL);
    const before = await first.rows();
    const run = await startSlice(subject, 'run', [user(0, 0.5, 20)]);
    await expect(run.publish(subject.alterStaged)).rejects.toMatchObject({ kind: 'refused' });
    expect(await first.rows()).toEqual(before);
    const second = await startSlice(subject, 2, [user(1, 0.5, 20)]);
    const table = subject.table(first.table.name);
    await subject.execute(`insert into ${table} select * from ${table} where user_id = 1`);
    await expect(second.publish()).rejects.toThrow();
    expect((await textsOf(subject.warehouse, first.table)).map(([id, , score]) => `${id} ${score}`)).toEqual([
      '0 0.25',
      '1 0.25',
      '1 0.25',
    ]);
  });

  it('copies the users that are there at the end of a window, once for each', async () => {
    const subject = await openSubject(makeSubject);
    const end = '2026-11-23T05:00:00.000Z';
    await publishSlice(subject, 1, [user(1, 0.25, 11), user(2, 0.75, 12), user(3, 0.5, 13)], ALL);
    const second = await publishSlice(subject, 2, [{ key: ['1'], reason: 'unknown category' }], {
      gone: [['3']],
      boundary: end,
    });
    const copied = [
      ['1', null, 'unknown category', MODEL_DIGEST, '2026-11-23 05:00:00.000000', 'conformance.incremental'],
      ['2', '0.75', null, MODEL_DIGEST, '2026-11-23 05:00:00.000000', 'conformance.incremental'],
    ];
    expect(await textsOf(subject.warehouse, second.boundary)).toEqual(copied);
    const another = '2026-11-30T05:00:00.000Z';
    await publishSlice(subject, 3, [user(1, 0.3, 31)], { boundary: another });
    await publishSlice(subject, 4, [user(4, 0.4, 41)], { boundary: another });
    const all = await textsOf(subject.warehouse, second.boundary);
    expect(all.filter(([, , , , boundary]) => boundary?.startsWith('2026-11-23'))).toEqual(copied);
    expect(
      all.filter(([, , , , boundary]) => boundary?.startsWith('2026-11-30')).map(([id, score]) => `${id} ${score}`),
    ).toEqual(['1 0.3', '2 0.75', '4 0.4']);
  });

  it('counts the users that there would be after a slice, before it is published', async () => {
    const subject = await openSubject(makeSubject);
    const counted = async (slice: Slice) => {
      const { sink } = slice.warehouse;
      const { key, pinned, current: change, entry } = slice.spec;
      const count = (reader: TableReader, staged: string | undefined) =>
        countCurrent(reader, {
          ...{ table: slice.table, key, scoreColumn: 'score', staged, stagesText: sink.stagesText, edges: EDGES },
          ...{ digest: entry.model.digest, whole: change?.whole ?? false, gone: change?.gone ?? [] },
        });
      return pinned.length === 0
        ? await sink.read((reader) => count(reader, undefined))
        : await sink.readStaged({ runId: slice.runId, key, pinned, slice: true }, count);
    };
    const none = { users: 0, quarantined: 0, otherModel: 0, scoreCounts: [0, 0, 0] };
    const first = await startSlice(subject, 1, [user(1, 0.1, 11), user(2, 0.75, 12), user(3, 0.3, 13), NULL_KEY], ALL);
    const one = { users: 3, quarantined: 0, otherModel: 0, scoreCounts: [1, 1, 1] };
    expect(await counted(first)).toMatchObject({ before: none, after: one, deleted: 0, unchanged: 0 });
    await first.publish();

    const rejected = { key: ['4'], reason: 'duplicate key' };
    const rows = [user(1, 0.9, 11), user(2, 0.3, 22), rejected, rejected];
    const second = await startSlice(subject, 2, rows, { gone: [['3'], ['9']] });
    const two = { users: 3, quarantined: 1, otherModel: 0, scoreCounts: [1, 1, 0] };
    expect(await counted(second)).toMatchObject({ before: one, after: two, deleted: 1, unchanged: 1 });
    await second.publish();

    const third = await startSlice(subject, 3, [user(5, 0.3, 15)], { model: OTHER, gone: [['4'], ['3']] });
    const three = { users: 3, quarantined: 0, otherModel: 2, scoreCounts: [1, 2, 0] };
    const before = { ...two, otherModel: 3 };
    expect(await counted(third)).toMatchObject({ before, after: three, deleted: 1, unchanged: 0 });
    const whole = await startSlice(subject, 4, [user(1, 0.3, 11)], ALL);
    expect(await counted(whole)).toMatchObject({
      ...{ before: two, deleted: 2, unchanged: 1 },
      after: { ...none, users: 1, scoreCounts: [1, 0, 0] },
    });
    const empty = await startSlice(subject, 5, [], ALL);
    expect(await counted(empty)).toMatchObject({ before: two, after: none, deleted: 3 });
  });
};

const ALL = { whole: true };

const MODEL_DIGEST = 'd'.repeat(64);

const OTHER = { name: 'linear', version: '2', digest: 'e'.repeat(64) };

const UNSCORED = { score: null, band: null, skip_key: null, scored_at: null };

const NULL_KEY: SliceRow = { key: ['nullif(1, 1)'], reason: 'null key' };

function user(id: number, score: number, features: number): SliceRow {
  return { key: [String(id)], country: 'DE', score: score * 1000, features };
}

function at(number: number): string {
  return hour(number).replace('T', ' ').replace('Z', '');
}

/** A row as the first slice writes it. */
function row(values: Readonly<Record<string, string | null>>): Record<string, string | null> {
  return {
    ...{ country: 'DE', previous_score: null, changed_at: at(1), reason: null, deleted: 'false', position: '1', as_of: at(1) },
    ...{
      job: 'conformance.incremental',
      run_id: 'slice1',
      model_name: 'linear',
      model_version: '1',
      model_digest: MODEL_DIGEST,
    },
    scored_at: at(1),
    ...values,
  };
}

/** Key, reason and run of the rejected rows. */
async function quarantineOf({ tables, ...slice }: Slice): Promise<string[]> {
  const layout = tables.quarantine;
  const place = (name: string) => layout.columns.findIndex((column) => column.name === name);
  const found = await textsOf(slice.warehouse, layout);
  return found.map((texts) => `${texts[0]} ${texts[place('reason')]} ${texts[place('run_id')]}`).sort();
}
