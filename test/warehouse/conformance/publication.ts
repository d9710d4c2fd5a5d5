import { expect } from 'vitest';
import type { Bands } from '../../../src/domain/bands.ts';
import { currentPublication, type LedgerWindow } from '../../../src/domain/ledger.ts';
import { overlapping } from '../../../src/domain/publications.ts';
import { keyHash } from '../../../src/warehouse/sql/dialect.ts';
import { named } from './frozen.ts';
import { counts, readScores } from './published.ts';
import { EDGES, FIRST_DAY, MODEL, NAMES, publishRun, stageAll, startRun, type TestRun, WEEK, WEEK_BEFORE } from './run.ts';
import { type Area, JOB, withUsers } from './subject.ts';

/** What a publication writes and replaces. */
export const publication: Area = (it, makeSubject) => {
  it('publishes all tables of a window and replaces nothing but this window', async () => {
    const subject = await withUsers(makeSubject, 300);
    const { warehouse } = subject;
    const earlier = await publishRun(warehouse, 'earlier', { window: WEEK_BEFORE });
    const first = await publishRun(warehouse, 'first', { reject: "case when user_id < 5 then 'too odd' end" });
    expect(await counts(subject)).toEqual({ scores: 595, quarantine: 5, report: 595, summary: 12 });

    await subject.execute('delete from users where user_id >= 100');
    const second = await publishRun(warehouse, 'second', { supersedes: 'first' });
    expect(await counts(subject)).toEqual({ scores: 400, quarantine: 0, report: 400, summary: 12 });
    expect(await readScores(first)).toEqual([]);
    expect(await readScores(earlier)).toHaveLength(300);
    expect((await readScores(second))[0]).toEqual({
      user_id: '99',
      country: 'C1',
      score: '0.099000',
      rank: '1',
      percentile: '100',
      decile: '1',
      band: 'high',
    });
    const entries = await warehouse.ledger(second.tables.ledger).entries({ job: JOB, window: WEEK });
    expect(entries.map(({ runId, state, publication, rows }) => ({ runId, state, publication, rows }))).toEqual([
      { runId: 'first', state: 'published', publication: 1, rows: { frozen: 300, scored: 295, quarantined: 5 } },
      { runId: 'second', state: 'published', publication: 2, rows: { frozen: 100, scored: 100, quarantined: 0 } },
    ]);
  });

  it('publishes reasons with the ranks that they belong to, and holds out the same users in every window', async () => {
    const subject = await withUsers(makeSubject, 300);
    const { warehouse } = subject;
    const settings = { explained: 3, holdout: 0.2 };
    const earlier = await publishRun(warehouse, 'earlier', { window: WEEK_BEFORE, ...settings });
    const run = await startRun(warehouse, 'run', settings);
    await stageAll(run, { score: 'least(user_id, 290) / 1000.0' });
    const { pinned } = await run.tally();
    const key = named(run.frozen.columns, ['user_id']);
    const top = await warehouse.sink.topRows({ runId: 'run', key, pinned, rows: 12 });
    await run.publish();
    const read = async ({ runId, tables }: TestRun, table: 'scores' | 'report') =>
      await warehouse.sink.read(async ({ dialect, find, rows }) => {
        const name = (await find(tables[table] ?? tables.scores))?.name ?? [];
        return await rows(
          `SELECT ${dialect.text(keyHash(dialect, key), { type: 'integer' })} AS h, ${dialect.text('user_id', { type: 'integer' })} AS u,
             reason_1, reason_2, LOWER(${dialect.text('holdout', { type: 'bool' })}) AS held
           FROM ${dialect.table(name)} published WHERE run_id = ${dialect.literal(runId)} ORDER BY published.rank`,
        );
      });
    const rows = await read(run, 'scores');
    expect(await read(run, 'report')).toEqual(rows);
    expect(rows.map(([, , ...reasons]) => reasons.slice(0, 2)).slice(0, 4)).toEqual([
      ["rank 1's \\ first\n<é>", 'second'],
      ["rank 2's \\ first\n<é>", null],
      ["rank 3's \\ first\n<é>", 'second'],
      [null, null],
    ]);
    expect(top.map(({ keyHash: hash }) => hash)).toEqual(rows.slice(0, 12).map(([hash]) => hash));
    expect(top.map(({ millionths }) => millionths)).toEqual([...Array(10).fill(290_000), 289_000, 288_000]);
    // Ten users have the highest score; ties are in the order of the key.
    expect(rows.slice(0, 11).map(([, user]) => user)).toEqual([
      ...Array.from({ length: 10 }, (_, i) => String(290 + i)),
      '289',
    ]);
    const held = (found: readonly (readonly (string | null)[])[]) =>
      found
        .filter((row) => row[4] === 'true')
        .map(([, user]) => user)
        .sort();
    expect(held(rows)).toEqual(held(await read(earlier, 'scores')));
    expect(held(rows).length).toBeGreaterThan(30);
    expect(held(rows).length).toBeLessThan(90);
    // The same users in every warehouse.
    expect(held(rows).slice(0, 3)).toMatchInlineSnapshot(`
      [
        "0",
        "1",
        "10",
      ]
    `);
    const none = await publishRun(warehouse, 'none', { supersedes: 'run', explained: 0, holdout: 0 });
    expect((await read(none, 'report')).every(([, , one, two, out]) => one === null && two === null && out === 'false')).toBe(
      true,
    );
  });

  it('replaces an overlapping publication in the same transaction, and only one that it was told of', async () => {
    const subject = await withUsers(makeSubject, 300);
    const { warehouse } = subject;
    const shifted: LedgerWindow = { ...WEEK, start: '2026-11-15T23:00:00.000Z', end: '2026-11-22T23:00:00.000Z' };
    await publishRun(warehouse, 'before', { window: WEEK_BEFORE });
    const first = await publishRun(warehouse, 'first', { reject: "case when user_id < 5 then 'too odd' end" });
    const ledger = warehouse.ledger(first.tables.ledger);
    const near = () => ledger.entries({ job: JOB, near: shifted });
    const all = await near();
    expect(all.map(({ runId }) => runId).sort()).toEqual(['before', 'first']);
    const second = await startRun(warehouse, 'second', { window: shifted, overlaps: overlapping(all, shifted) });
    await stageAll(second);
    const stranger = await startRun(warehouse, 'stranger', { window: shifted });
    await stageAll(stranger);
    const pictures = await counts(subject);
    await expect(stranger.publish()).rejects.toMatchObject({ kind: 'conflict' });
    expect(await counts(subject)).toEqual(pictures);

    await second.publish();
    expect(await counts(subject)).toEqual({ scores: 300, quarantine: 0, report: 300, summary: 6 });
    const entries = await near();
    expect(entries.map(({ runId, state, publication }) => `${runId} ${state} ${publication}`).sort()).toEqual([
      'before published 1',
      'before superseded 2',
      'first published 1',
      'first superseded 2',
      'second published 2',
    ]);
    expect(currentPublication(await ledger.entries({ job: JOB, window: WEEK }))).toBeUndefined();
    // A run that planned before is too late.
    const late = await startRun(warehouse, 'late', { supersedes: 'first' });
    await stageAll(late);
    await expect(late.publish()).rejects.toMatchObject({ kind: 'conflict' });
    const history = (label: string, digest: string) =>
      ledger.entries({
        job: JOB,
        history: { window: { ...WEEK, label, start: '2026-12-07T05:00:00.000Z' }, model: { ...MODEL, digest } },
      });
    expect((await history('2026-W50', MODEL.digest)).map(({ runId }) => runId)).toEqual(['second']);
    expect((await history('2026-W50', 'e')).filter(({ state }) => state === 'published')).toHaveLength(3);
  });

  it('tells what the tables hold, and keeps out other jobs and a second model of one version', async () => {
    const subject = await withUsers(makeSubject, 300);
    const { warehouse } = subject;
    const { sink } = warehouse;
    const { tables } = await startRun(warehouse, 'none');
    expect(await sink.otherJobs(tables, JOB)).toEqual([]);
    expect(await sink.held(tables, JOB, [WEEK])).toEqual([]);
    await publishRun(warehouse, 'run', { reject: "case when user_id < 5 then 'too odd' end" });
    await subject.execute(`delete from ${subject.table(NAMES.report)} where user_id < 10`);
    expect(await sink.otherJobs(tables, JOB)).toEqual([]);
    const others = [tables.scores, tables.quarantine, tables.report, tables.summary].map((table) => ({
      table: table?.name,
      job: JOB,
    }));
    expect(await sink.otherJobs(tables, 'another')).toEqual(others);
    const held = await sink.held(tables, JOB, [WEEK, WEEK_BEFORE]);
    expect(held.map(({ table, runId, rows }) => `${table} ${runId} ${rows}`).sort()).toEqual([
      'quarantine run 5',
      'report run 290',
      'scores run 295',
      'summary run 295',
    ]);
    expect(new Set(held.map(({ window }) => `${window.start} ${window.end}`))).toEqual(new Set([`${WEEK.start} ${WEEK.end}`]));
    const scores = { table: tables.scores, ledger: tables.ledger, column: 'score', job: JOB, runId: 'run', window: WEEK };
    expect(await sink.scoreCounts({ ...scores, edges: EDGES })).toEqual({ edges: EDGES, counts: [245, 50, 0] });
    const own = await sink.scoreCounts({ ...scores, edges: undefined });
    expect(own?.counts).toEqual([30, 29, 30, 29, 30, 29, 30, 29, 30, 29]);
    expect(own?.edges[0]).toBe(0.035);

    for (const settings of [{ job: 'another' }, { model: { ...MODEL, digest: 'e'.repeat(64) } }]) {
      const other = await startRun(warehouse, 'other', {
        supersedes: settings.job === undefined ? 'run' : undefined,
        ...settings,
      });
      await stageAll(other);
      await expect(other.publish()).rejects.toMatchObject({ kind: 'conflict' });
    }
    expect(await counts(subject)).toMatchObject({ scores: 295 });
    await (await startRun(warehouse, 'other', { job: 'another', sharedTables: true })).publish();
    expect(await counts(subject)).toMatchObject({ scores: 595 });
  });

  it('publishes without ranks where nobody asks for them', async () => {
    const subject = await withUsers(makeSubject, 300);
    const bands: Bands = { by: 'threshold', bounds: [{ name: 'high', bound: 100_000 }], rest: 'low' };
    const settings = { layout: 'narrow', bands, reject: 'case when user_id = 7 then $$bad$$ end' } as const;
    const { tables } = await publishRun(subject.warehouse, 'first', settings);
    expect(tables.scores.columns.map(({ name }) => name)).toEqual([
      ...['user_id', 'country', 'score', 'job', 'window_start', 'window_end', 'run_id', 'scored_at'],
    ]);
    await publishRun(subject.warehouse, 'second', { ...settings, supersedes: 'first' });
    const [scores] = await subject.rows(
      `select count(*) as n, count(distinct user_id) as users, min(run_id) as run from ${subject.table(NAMES.scores)}`,
    );
    expect(Object.values(scores ?? {}).map(String)).toEqual(['299', '299', 'second']);
    const summary = await subject.rows(
      `select band, users from ${subject.table(NAMES.summary)} where segment = 'all' order by band`,
    );
    expect(summary.map((row) => Object.values(row).map(String))).toEqual([
      ['high', '200'],
      ['low', '99'],
    ]);
  });

  it('keeps one row of publication and window start beside a score in the slim layout, and finds the run by the ledger', async () => {
    const subject = await withUsers(makeSubject, 300);
    const { warehouse } = subject;
    const { sink } = warehouse;
    const bands: Bands = { by: 'threshold', bounds: [{ name: 'high', bound: 100_000 }], rest: 'low' };
    const settings = { layout: 'slim', bands } as const;
    const published = async () => {
      const found = await subject.rows(
        `select count(*) as n, min(publication) as least, max(publication) as most from ${subject.table(NAMES.scores)}`,
      );
      return found.map((row) => Object.values(row).map(String).join(' '));
    };
    const { tables } = await publishRun(warehouse, 'first', { ...settings, window: WEEK_BEFORE });
    expect(tables.scores.columns.map(({ name }) => name)).toEqual([
      'user_id',
      'country',
      'score',
      'window_start',
      'publication',
    ]);
    await publishRun(warehouse, 'second', settings);
    await publishRun(warehouse, 'third', {
      ...settings,
      supersedes: 'second',
      reject: 'case when user_id = 7 then $$bad$$ end',
    });
    expect(await published()).toEqual(['599 1 2']);
    const held = await sink.held(tables, JOB, [WEEK, WEEK_BEFORE]);
    expect(held.filter(({ table }) => table === 'scores').map(({ runId, window, rows }) => [runId, window.end, rows])).toEqual(
      expect.arrayContaining([
        ['first', WEEK_BEFORE.end, 300],
        ['third', WEEK.end, 299],
      ]),
    );
    const scores = { table: tables.scores, ledger: tables.ledger, column: 'score', job: JOB, runId: 'third', window: WEEK };
    expect(await sink.scoreCounts({ ...scores, edges: EDGES })).toEqual({ edges: EDGES, counts: [249, 50, 0] });

    // The week's first day stands beside the week, and either can be published again.
    await publishRun(warehouse, 'day', { ...settings, window: FIRST_DAY });
    await publishRun(warehouse, 'day-again', { ...settings, window: FIRST_DAY, supersedes: 'day' });
    await publishRun(warehouse, 'fourth', { ...settings, supersedes: 'third' });
    const both = await sink.held(tables, JOB, [WEEK]);
    expect(
      both
        .filter(({ table }) => table === 'scores')
        .map(({ runId, rows }) => `${runId} ${rows}`)
        .sort(),
    ).toEqual(['day-again 300', 'fourth 300']);

    // Nobody else may write there: neither by plan nor at the lock.
    expect(await sink.otherJobs(tables, JOB)).toEqual([]);
    expect(await sink.otherJobs(tables, 'another')).toContainEqual({ table: tables.scores.name, job: undefined });
    const other = await startRun(warehouse, 'other', { ...settings, job: 'another' });
    await stageAll(other);
    await expect(other.publish()).rejects.toMatchObject({ kind: 'conflict' });
    expect(await published()).toEqual(['900 1 5']);
  });

  it('breaks the summary down by segment, in exact decimals', async () => {
    const subject = await withUsers(makeSubject, 30);
    await publishRun(subject.warehouse, 'run');
    const rows = await subject.rows(
      `select segment, segment_value, band, users, share, mean_score, expected_churners from ${subject.table(NAMES.summary)}
       where segment = 'all' or segment_value = 'C0' order by segment, band`,
    );
    const decimal = (value: unknown) => Number(value).toFixed(6);
    const text = rows.map((row) => {
      const [segment, value, band, users, ...decimals] = Object.values(row);
      return [segment, value, band, users, ...decimals.map(decimal)].join(' ');
    });
    expect(text).toEqual([
      'all all high 3 0.100000 0.028000 0.084000',
      'all all low 27 0.900000 0.013000 0.351000',
      'country C0 high 1 0.066667 0.028000 0.028000',
      'country C0 low 14 0.933333 0.013000 0.182000',
    ]);
  });

  it('publishes a run once, though it is told twice', async () => {
    const subject = await withUsers(makeSubject, 300);
    const run = await publishRun(subject.warehouse, 'run');
    const before = await counts(subject);
    await run.publish();
    expect(await counts(subject)).toEqual(before);
    expect(await subject.warehouse.ledger(run.tables.ledger).entries({ job: JOB })).toHaveLength(1);
  });

  it('publishes an empty window over a full one', async () => {
    const subject = await withUsers(makeSubject, 30);
    await publishRun(subject.warehouse, 'full');
    await subject.execute('delete from users');
    const empty = await startRun(subject.warehouse, 'empty', { supersedes: 'full' });
    expect(empty.frozen).toMatchObject({ rows: 0, chunks: [] });
    expect(await empty.tally()).toMatchObject({ pinned: [], missing: [], mismatched: [], rejections: [] });
    await empty.publish();
    expect(await counts(subject)).toEqual({ scores: 0, quarantine: 0, report: 0, summary: 0 });
    expect(await readScores(empty)).toEqual([]);
    const entries = await subject.warehouse.ledger(empty.tables.ledger).entries({ job: JOB });
    expect(entries.at(-1)).toMatchObject({ runId: 'empty', publication: 2, rows: { frozen: 0, scored: 0, quarantined: 0 } });
  });
};
