import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, it as runTest } from 'vitest';
import type { Bands } from '../../src/domain/bands.ts';
import type { KeyHash } from '../../src/domain/checksum.ts';
import type { FrozenTable } from '../../src/domain/frozen-table.ts';
import { currentPublication, type LedgerEntry, type LedgerWindow } from '../../src/domain/ledger.ts';
import { overlapping } from '../../src/domain/publications.ts';
import type { Query } from '../../src/domain/query.ts';
import { type Column, findColumn, type Schema } from '../../src/domain/schema.ts';
import { isStagedAsText, stagedKeep, stagedKey } from '../../src/domain/staged-columns.ts';
import type { TableName } from '../../src/domain/table-name.ts';
import { type ScoreLayout, type Tables, tablesOf } from '../../src/domain/tables.ts';
import { canonicalText } from '../../src/duckdb/canonical-text.ts';
import { type Database, openDatabase } from '../../src/duckdb/database.ts';
import { identifier, literal } from '../../src/duckdb/sql.ts';
import { findDuplicates } from '../../src/score/chunk-table.ts';
import {
  canCount,
  type Ledger,
  type PublicationSpec,
  type StagedTally,
  type Warehouse,
} from '../../src/warehouse/warehouse.ts';
import { ownNames } from '../support/own-names.ts';
import { temporaryFolder } from '../support/project.ts';
import { compareKeys, type KeyType, tiedKeys } from './tied-keys.ts';

/** Makes a warehouse of its own for one test. */
export type MakeSubject = () => Promise<Subject>;

/** Cases that a warehouse cannot be asked here, by title, with the reason. */
export type Cannot = Readonly<Record<string, string>>;

/** A warehouse, and how its dialect says what the tests need. */
export interface Subject {
  /** Opens the warehouse as one more process would, for a job; it is closed when the test ends. */
  open(options?: OpenOptions): Warehouse;
  /** Runs a statement of the dialect, as somebody else who uses the warehouse would. */
  execute(sql: string): Promise<void>;
  /** Rows of the dialect's SQL; counts as text. */
  rows(sql: string): Promise<Record<string, unknown>[]>;
  table(name: TableName): string;
  quote(name: string): string;
  literal(text: string): string;
  /** Writes to the frozen table of the run `run` over `users`: a row more, or another value of `a`. */
  alterFrozen(how: Alteration): Promise<void>;
  /** Writes to what was staged for the run `run` and has been counted: a row more. */
  alterStaged(): Promise<void>;
  /** Names with as many special characters as the warehouse lets a table and a column have. */
  readonly odd: { readonly table: string; readonly column: string };
  /** A type that is `integer` for `describe`. */
  readonly integerType: string;
  readonly stringType: string;
  /** Expression of integers from 0 to n − 1, usable after FROM, with a column `i`. */
  range(n: number): string;
  /** One column per kind of value that the warehouse has, as in `describe`, with two values as text; null is a third one. */
  readonly kinds: readonly Kind[];
}

type Alteration = 'a row more' | 'another value';

export interface Kind {
  readonly column: Column;
  /** Expressions of the dialect. */
  readonly expressions: readonly [string, string];
  /** As DuckDB, which renders what is published, writes them. */
  readonly values: readonly [string, string];
}

interface OpenOptions {
  readonly job?: string;
  /** Ends the warehouse's statements. */
  readonly signal?: AbortSignal;
}

const JOB = 'conformance';
const WEEK: LedgerWindow = {
  label: '2026-W47',
  start: '2026-11-16T05:00:00.000Z',
  end: '2026-11-23T05:00:00.000Z',
  kind: 'week',
};
const WEEK_BEFORE: LedgerWindow = {
  label: '2026-W46',
  start: '2026-11-09T05:00:00.000Z',
  end: '2026-11-16T05:00:00.000Z',
  kind: 'week',
};
const FIRST_DAY: LedgerWindow = {
  label: '2026-11-16',
  start: WEEK.start,
  end: '2026-11-17T05:00:00.000Z',
  kind: 'day',
};
const BANDS: Bands = { by: 'share', bounds: [{ name: 'high', bound: 100_000 }], rest: 'low' };
const EDGES = [0.25, 0.5];
const MODEL = { name: 'linear', version: '1', digest: 'd'.repeat(64) };
const NAMES = {
  scores: ['marketing', 'scores'],
  quarantine: ['marketing', 'scores_quarantine'],
  ledger: ['marketing', 'score_batch_ledger'],
  report: ['marketing', 'report'],
  summary: ['marketing', 'summary'],
};

/** What every warehouse promises the flow: `Source`, `Sink` and `Ledger` of src/warehouse/warehouse.ts. */
export function conformance(name: string, makeSubject: MakeSubject, cannot: Cannot = {}): void {
  const titles = new Set<string>();
  const it = (title: string, test: () => Promise<void>): void => {
    titles.add(title);
    const reason = cannot[title];
    if (reason === undefined) runTest(title, test);
    else runTest.skip(`${title} (not here: ${reason})`, test);
  };
  describe(`${name} as a source`, () => {
    it('describes a query without running it', async () => {
      const { warehouse, execute, kinds, integerType, stringType } = await openSubject(makeSubject);
      const list = kinds.map(({ column, expressions }) => `${expressions[0]} as ${column.name}`);
      const schema = await warehouse.source.describe(plain(`select ${list.join(', ')}`));
      expect(schema).toEqual(kinds.map(({ column }) => column));
      await execute(`create table words (word ${stringType})`);
      await execute(`insert into words values ('not a number')`);
      const failing = plain(`select cast(word as ${integerType}) as number from words`);
      expect((await warehouse.source.describe(failing)).map(({ type }) => type)).toEqual(['integer']);
      await expect(freeze(warehouse, 'run', failing, { key: ['number'] })).rejects.toMatchObject({ kind: 'configuration' });
    });

    it('binds a window to a query and tells whether it is ready', async () => {
      const { warehouse, execute } = await withUsers(makeSubject, 10);
      const ready = (day: string): Query => ({
        name: 'ready',
        texts: ['select count(*) = 10 and ', " > date '2026-11-15' from users -- a comment"],
        parameters: [{ name: 'window_start_date', type: 'date', value: day }],
      });
      expect(await warehouse.source.ready(ready('2026-11-16'))).toBe(true);
      expect(await warehouse.source.ready(ready('2026-11-15'))).toBe(false);
      await execute('delete from users where user_id = 3');
      expect(await warehouse.source.ready(ready('2026-11-16'))).toBe(false);
      await expect(warehouse.source.ready(plain('select 1 as a, 2 as b'))).rejects.toMatchObject({ kind: 'configuration' });
      if (canCount(warehouse.source)) expect(await warehouse.source.count(USERS)).toBe(9);
    });

    for (const how of ['a row more', 'another value'] as const)
      it(`never takes a frozen table with ${how} for what was frozen`, async () => {
        const { warehouse, alterFrozen } = await withUsers(makeSubject, 300);
        const frozen = await freeze(warehouse, 'run', USERS);
        const key = named(frozen.columns, ['user_id']);
        await warehouse.source.verify(frozen, key);
        await alterFrozen(how);
        await expect(warehouse.source.verify(frozen, key)).rejects.toMatchObject({ kind: 'refused' });
      });

    it('has one identity, whoever opens it', async () => {
      const { warehouse, open } = await withUsers(makeSubject, 1);
      expect(await open().source.identity()).toBe(await warehouse.source.identity());
    });

    it('freezes a window once: what is written to the source afterwards changes nothing', async () => {
      const { warehouse, execute } = await withUsers(makeSubject, 1000);
      expect(await warehouse.source.frozen('run')).toBeUndefined();
      const frozen = await freeze(warehouse, 'run', USERS, { chunkRows: 100 });
      expect(frozen.rows).toBe(1000);
      expect(frozen.chunks.map(({ chunk }) => chunk)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(frozen.chunks.reduce((sum, { rows }) => sum + rows, 0)).toBe(1000);
      const before = await frozenIds(warehouse, frozen);
      expect(before.map(({ length }) => length)).toEqual(frozen.chunks.map(({ rows }) => rows));
      expect(before.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));

      await execute('delete from users where user_id < 500');
      await execute(`insert into users values (5000, 'US', 1, 1)`);
      expect(await freeze(warehouse, 'run', USERS, { chunkRows: 100 })).toEqual(frozen);
      expect(await warehouse.source.frozen('run')).toEqual(frozen);
      expect(await frozenIds(warehouse, frozen)).toEqual(before);

      const other = await freeze(warehouse, 'other', USERS, { chunkRows: 100 });
      expect(other.rows).toBe(501);
      await warehouse.source.dropFrozen('run');
      await warehouse.source.dropFrozen('run');
      expect(await warehouse.source.frozen('run')).toBeUndefined();
      expect(await warehouse.source.frozen('other')).toEqual(other);
    });

    it('puts a key into the same chunk whatever the other rows are', async () => {
      const { warehouse, execute } = await withUsers(makeSubject, 200);
      const first = await freeze(warehouse, 'first', USERS, { chunkRows: 100 });
      await execute('delete from users where user_id = 0');
      const second = await freeze(warehouse, 'second', USERS, { chunkRows: 100 });
      const [a, b] = [await frozenIds(warehouse, first), await frozenIds(warehouse, second)];
      expect(b).toEqual(a.map((ids) => ids.filter((id) => id !== 0)));
      const differing = first.chunks.filter(({ checksum }, i) => checksum !== second.chunks[i]?.checksum);
      expect(differing.map(({ chunk }) => chunk)).toEqual([a.findIndex((ids) => ids.includes(0))]);
    });

    it('finds every row of a key that occurs more than once, whatever chunks its rows are in', async () => {
      const { warehouse, execute } = await withUsers(makeSubject, 300);
      await execute(`insert into users select user_id, country, a, b from users where user_id = 7 or user_id = 299`);
      await execute(`insert into users select null, country, a, b from users where user_id < 2`);
      const frozen = await freeze(warehouse, 'run', USERS, { chunkRows: 50 });
      expect(frozen.rows).toBe(304);
      const found: number[] = [];
      await withWorker(async (database) => {
        for (const { chunk } of frozen.chunks) {
          await warehouse.source.loadChunk(frozen, chunk, database);
          const count = await findDuplicates(database, named(frozen.columns, ['user_id']), frozen.duplicates);
          if (count === 0) continue;
          const rows = await database.rows(`select user_id from chunk join duplicates on user_id = ${stagedKey(0)}`);
          found.push(...rows.map(([id]) => Number(id)));
        }
      });
      expect(found.sort((a, b) => a - b)).toEqual([7, 7, 299, 299]);
    });

    it('says what is wrong with a query, and never runs it by half', async () => {
      const { warehouse, execute } = await withUsers(makeSubject, 10);
      const { source } = warehouse;
      for (const sql of ['select user_id from nobody', 'select nothing from users', 'select user_id frm users x y']) {
        await expect(source.describe(plain(sql))).rejects.toMatchObject({
          kind: 'configuration',
          message: expect.stringContaining('jobs/query.sql'),
        });
      }
      const columns = await source.describe(USERS);
      await execute('alter table users drop column b');
      const options = { runId: 'run', key: named(columns, ['user_id']), columns, chunkRows: 100, hash: 'native' as const };
      await expect(source.freeze(USERS, options)).rejects.toMatchObject({ kind: 'configuration' });
      expect(await source.frozen('run')).toBeUndefined();
    });

    it('freezes from a view as from a table, with nulls in keys and values', async () => {
      const { warehouse, execute } = await withUsers(makeSubject, 10);
      await execute('create view visible as select nullif(user_id, 3) as user_id, country, a, b from users where a < 8');
      const frozen = await freeze(warehouse, 'run', plain('select * from visible'));
      expect(frozen.rows).toBe(8);
      expect((await frozenIds(warehouse, frozen)).flat().sort()).toEqual([0, 0, 1, 2, 4, 5, 6, 7]);
    });

    it('stops where it is told to, with nothing frozen', async () => {
      const interruption = new AbortController();
      const subject = await withUsers(makeSubject, 100_000);
      const warehouse = subject.open({ signal: interruption.signal });
      const reason = new Error('told to');
      const endless = plain('select x.user_id from users x, users y where mod(x.user_id + y.user_id, 1000003) = 1000002');
      const frozen = freeze(warehouse, 'run', endless);
      const stop = setTimeout(() => interruption.abort(reason), 500);
      await expect(frozen).rejects.toBe(reason);
      clearTimeout(stop);
      expect(await subject.warehouse.source.frozen('run')).toBeUndefined();
    });
  });

  describe(`${name} as a sink`, () => {
    it('brings values of every kind through, to the last digit', async () => {
      const { warehouse, kinds, integerType } = await openSubject(makeSubject);
      const rows = [0, 1, 2].map((row) => {
        const values = kinds.map(
          ({ column, expressions }) =>
            `${expressions[row] ?? `nullif(${expressions[0]}, ${expressions[0]})`} as ${column.name}`,
        );
        return `select cast(${row} as ${integerType}) as position, ${values.join(', ')}`;
      });
      const keep = kinds.map(({ column }) => column.name);
      const source = plain(rows.join(' union all '));
      const run = await startRun(warehouse, 'run', { query: source, key: ['position'], keep });
      await stageAll(run);
      await run.publish();
      const published = await readScores(run);
      const expected = [2, 1, 0].map((row) =>
        Object.fromEntries(kinds.map(({ column, values }) => [column.name, values[row] ?? null])),
      );
      expect(published.map((row) => Object.fromEntries(keep.map((column) => [column, row[column]])))).toEqual(expected);
    });

    it('ranks equal scores by their keys, in the order of the type of each part', async () => {
      const { warehouse, execute, kinds, integerType, literal: quote } = await openSubject(makeSubject);
      const parts = [...new Map(kinds.map(({ column }) => [column.type, column])).values()]
        .filter(({ type }) => type !== 'float')
        .map(({ type, native }) => ({ name: `a_${type}`, type: type as KeyType, native }));
      const types = parts.map(({ type }) => type);
      const keys = tiedKeys(types);
      const columns = parts.map(({ name, native }) => `${name} ${native}`);
      await execute(`create table tied (place ${integerType}, ${columns.join(', ')})`);
      const rows = keys.map(
        (key, place) => `(${place}, ${key.map((value, i) => `cast(${quote(value)} as ${parts[i]?.native})`).join(', ')})`,
      );
      await execute(`insert into tied values ${rows.join(', ')}`);
      const run = await startRun(warehouse, 'run', {
        query: plain('select * from tied'),
        key: parts.map(({ name }) => name),
        keep: ['place'],
      });
      await stageAll(run, { score: '0.5' });
      await run.publish();
      const expected = keys.map((key, place) => ({ key, place })).sort((a, b) => compareKeys(types, a.key, b.key));
      expect((await readScores(run)).map(({ place }) => keys[Number(place)])).toEqual(expected.map(({ key }) => key));
    });

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

    it('publishes nothing where what was counted is not what would be published', async () => {
      const subject = await withUsers(makeSubject, 300);
      await publishRun(subject.warehouse, 'before', { window: WEEK_BEFORE });
      const before = await counts(subject);
      const run = await startRun(subject.warehouse, 'run');
      await stageAll(run);
      await expect(run.publish(subject.alterStaged)).rejects.toMatchObject({ kind: 'refused' });
      expect(await counts(subject)).toEqual(before);
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

    it('tells other keys than the frozen ones apart, though their number is right', async () => {
      const run = await startRun((await withUsers(makeSubject, 300)).warehouse, 'run');
      for (const { chunk } of run.frozen.chunks) await run.stage(chunk, 'aaaa', chunk === 1 ? { key: 'user_id + 1000' } : {});
      expect(await run.tally()).toMatchObject({ missing: [], mismatched: [1] });
    });

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
      // Whoever had seen what was replaced comes too late.
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
      expect(new Set(held.map(({ window }) => `${window.start} ${window.end}`))).toEqual(
        new Set([`${WEEK.start} ${WEEK.end}`]),
      );
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
      expect(
        held.filter(({ table }) => table === 'scores').map(({ runId, window, rows }) => [runId, window.end, rows]),
      ).toEqual(
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

    it('quotes names and values, whatever they hold', async () => {
      const subject = await openSubject(makeSubject);
      const { warehouse, execute, quote, table, odd: names } = subject;
      const key = 'select';
      const keep = names.column;
      const odd = `O'Brien'); drop table users; --`;
      await execute(`create table users (${quote(key)} ${subject.stringType}, ${quote(keep)} ${subject.stringType})`);
      await execute(`insert into users values (${subject.literal(odd)}, '=1+1'), (${subject.literal('ü 漢 \u{1F600}')}, '"')`);
      const scores = [...NAMES.scores.slice(0, -1), names.table];
      const run = await startRun(warehouse, 'run.odd+1-x', {
        query: plain(`select ${quote(key)}, ${quote(keep)} from users`),
        key: [key],
        keep: [keep],
        scores,
      });
      await stageAll(run);
      await run.publish();
      expect(await readScores(run)).toMatchObject([
        { [key]: odd, [keep]: '=1+1', rank: '1' },
        { [key]: 'ü 漢 \u{1F600}', [keep]: '"', rank: '2' },
      ]);
      expect(await subject.rows(`select count(*) as n from ${table(scores)}`)).toEqual([{ n: '2' }]);
      expect(await warehouse.sink.differences(run.tables)).toEqual([]);
    });

    for (const [i, half] of ['even', 'odd'].entries()) {
      it(`takes columns by the names that our own SQL uses; ${half} ones are the key`, async () => {
        const { warehouse, execute, quote, stringType } = await openSubject(makeSubject);
        // The tests' score has a name too.
        const names = ownNames().filter((name) => name !== 'score');
        const values = (row: number) => `(${names.map((name) => `'${name} ${row}'`).join(', ')})`;
        await execute(`create table people (${names.map((name) => `${quote(name)} ${stringType}`).join(', ')})`);
        await execute(`insert into people values ${values(1)}, ${values(2)}`);
        const run = await startRun(warehouse, 'run', {
          query: plain(`select ${names.map(quote).join(', ')} from people`),
          key: names.filter((_, position) => position % 2 === i),
          keep: names.filter((_, position) => position % 2 !== i),
        });
        await stageAll(run);
        await run.publish();
        const expected = [1, 2].map((row) => Object.fromEntries(names.map((name) => [name, `${name} ${row}`])));
        expect(await readScores(run)).toMatchObject(expected);
      });
    }

    it('shows how a table that is there differs, and never alters it', async () => {
      const subject = await withUsers(makeSubject, 30);
      const run = await publishRun(subject.warehouse, 'run');
      expect(await subject.warehouse.sink.differences(run.tables)).toEqual([]);
      const [country] = run.tables.scores.columns.filter(({ name: column }) => column === 'country');
      const columns = run.tables.scores.columns.map((column) =>
        column === country ? { name: 'country', type: 'integer' as const } : column,
      );
      const other = {
        ...run.tables,
        scores: { ...run.tables.scores, columns: [...columns, { name: 'age', type: 'integer' as const }] },
      };
      const differences = await subject.warehouse.sink.differences(other);
      expect(differences).toHaveLength(2);
      expect(differences.join('\n')).toMatch(/country[\s\S]*age|age[\s\S]*country/);
      expect(await counts(subject)).toMatchObject({ scores: 30 });
    });

    it('proves its right to write and leaves nothing behind', async () => {
      const subject = await withUsers(makeSubject, 30);
      await publishRun(subject.warehouse, 'run');
      const before = await counts(subject);
      const { source, sink } = subject.warehouse;
      for (let twice = 0; twice < 2; twice += 1) {
        await source.probe();
        await sink.probe(Object.values(NAMES));
      }
      expect(await counts(subject)).toEqual(before);
    });

    it('lists what runs of the job have left, drops what it is told to, and keeps the rest', async () => {
      const subject = await withUsers(makeSubject, 30);
      const { source, sink } = subject.warehouse;
      const before = Date.now();
      for (const runId of ['discarded', 'dropped', 'kept']) {
        await sink.workFolder(runId);
        await stageAll(await startRun(subject.warehouse, runId));
      }
      for (let twice = 0; twice < 2; twice += 1) {
        await source.dropFrozen('discarded');
        await sink.discard('discarded');
      }
      const runs = async ({ source, sink }: Warehouse = subject.warehouse) => {
        const places = [await source.listArtifacts(), await sink.listArtifacts()];
        return places.map((left) => [...new Set(left.map(({ run }) => run))].sort());
      };
      const both = ['dropped', 'kept'];
      expect(await runs()).toEqual([both, both]);
      expect(await runs(subject.open({ job: 'another job' }))).toEqual([[], []]);
      for (const scratch of [source, sink]) {
        const left = await scratch.listArtifacts();
        expect(new Set(left.map(({ name }) => name)).size).toBe(left.length);
        for (const one of left) {
          expect(Date.parse(one.deadline ?? '')).toBeGreaterThan(before + 6 * 86_400_000);
          if (one.run !== 'dropped') continue;
          await scratch.drop(one);
          await scratch.drop(one);
        }
      }
      expect(await runs()).toEqual([['kept'], ['kept']]);
      expect(await source.frozen('dropped')).toBeUndefined();
      expect(await sink.staged('dropped')).toEqual([]);
      expect((await source.frozen('kept'))?.rows).toBe(30);
      expect(await sink.staged('kept')).toHaveLength(1);
    });
  });

  describe(`${name} as a ledger`, () => {
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
      // Whoever had decided on what was no longer true has decided again.
      expect(seen.slice(-1)).toEqual([1]);
    });
  });

  runTest(`${name}: what it cannot be asked here are cases of this suite`, () => {
    expect(Object.keys(cannot).filter((title) => !titles.has(title))).toEqual([]);
  });
}

const USERS = plain('select user_id, country, a, b from users');

function plain(sql: string): Query {
  return { name: 'jobs/query.sql', texts: [sql], parameters: [] };
}

/** A subject with its warehouse opened once. */
interface OpenSubject extends Subject {
  readonly warehouse: Warehouse;
}

async function openSubject(makeSubject: MakeSubject): Promise<OpenSubject> {
  const subject = await makeSubject();
  const open = (options: OpenOptions = {}): Warehouse => {
    const warehouse = subject.open({ job: JOB, ...options });
    onTestFinished(() => warehouse.close());
    return warehouse;
  };
  return { ...subject, open, warehouse: open() };
}

/** A subject with a table `users(user_id, country, a, b)`, whose ids count up from 0; countries are C0 and C1. */
async function withUsers(makeSubject: MakeSubject, rows: number): Promise<OpenSubject> {
  const subject = await openSubject(makeSubject);
  const { execute, integerType, stringType, range } = subject;
  await execute(`create table users (user_id ${integerType}, country ${stringType}, a ${integerType}, b ${integerType})`);
  await execute(
    `insert into users select i, case when mod(i, 2) = 0 then 'C0' else 'C1' end, i, nullif(mod(i, 3), 0) from ${range(rows)}`,
  );
  return subject;
}

function named(schema: Schema, names: readonly string[]): Column[] {
  return names.map((name) => {
    const column = findColumn(schema, name);
    if (column === undefined) throw new Error(`no column ${name}`);
    return { ...column, name };
  });
}

interface FreezeSettings {
  readonly key?: readonly string[];
  readonly chunkRows?: number;
  readonly hash?: KeyHash;
}

async function freeze(
  { source }: Warehouse,
  runId: string,
  from: Query,
  { key = ['user_id'], chunkRows = 100, hash = 'native' }: FreezeSettings = {},
): Promise<FrozenTable> {
  const schema = await source.describe(from);
  // As a job spells them, which is how they are called from here on.
  const columns = schema.map((column) => ({ ...column, name: column.name.toLowerCase() }));
  return await source.freeze(from, { runId, key: named(columns, key), columns, chunkRows, hash });
}

/** The keys of each chunk, as a chunk worker would read them. */
async function frozenIds({ source }: Warehouse, frozen: FrozenTable): Promise<number[][]> {
  const chunks: number[][] = [];
  await withWorker(async (database) => {
    for (const { chunk } of frozen.chunks) {
      await source.loadChunk(frozen, chunk, database);
      const rows = await database.rows('select user_id from chunk order by 1');
      chunks.push(rows.map(([id]) => Number(id)));
    }
  });
  return chunks;
}

/** An in-memory DuckDB as a chunk worker has it. */
async function withWorker(work: (database: Database) => Promise<void>): Promise<void> {
  await using database = await openDatabase(':memory:', { threads: 1, memory: 1e9, temporary: await temporaryFolder() });
  await work(database);
}

interface RunSettings {
  readonly query?: Query;
  readonly key?: readonly string[];
  readonly keep?: readonly string[];
  readonly scores?: TableName;
  readonly chunkRows?: number;
  readonly window?: LedgerWindow;
  readonly supersedes?: string | undefined;
  readonly overlaps?: PublicationSpec['overlaps'];
  readonly sharedTables?: boolean;
  readonly job?: string;
  readonly model?: LedgerEntry['model'];
  readonly edges?: readonly number[];
  readonly layout?: ScoreLayout;
  readonly bands?: Bands;
}

/** SQL over the frozen chunk, for a DuckDB in memory that plays the chunk worker. */
interface Outcome {
  readonly key?: string;
  readonly score?: string;
  readonly reject?: string;
  readonly provider?: string;
  readonly where?: string;
  /** Identity of another frozen table that was read, and of another scorer. */
  readonly frozen?: string;
  readonly scorer?: string;
}

const SCORER = '0'.repeat(8);
const FACTS = JSON.stringify({ scorer: { score_batch: '1', onnxruntime: '1', provider: 'cpu', processor: 'x64' } });

function attemptOf(frozen: string, ending: string, scorer = SCORER): string {
  return `${frozen}${scorer}${ending}`;
}

interface TestRun {
  readonly runId: string;
  readonly warehouse: Warehouse;
  readonly frozen: FrozenTable;
  readonly tables: Tables;
  readonly window: LedgerWindow;
  /** @param ending of the attempt's id, which begins as one of this frozen table */
  stage(chunk: number, ending: string, outcome?: Outcome): Promise<void>;
  tally(): Promise<StagedTally>;
  /** @param meanwhile what somebody does after the rows were counted */
  publish(meanwhile?: () => Promise<void>): Promise<boolean>;
}

/** Freezes a window; by default scores are user_id / 1000 and nobody is rejected. */
async function startRun(warehouse: Warehouse, runId: string, settings: RunSettings = {}): Promise<TestRun> {
  const { query: from = USERS, window = WEEK, edges, layout = 'wide', bands = BANDS } = settings;
  const { sink } = warehouse;
  const frozen = await freeze(warehouse, runId, from, {
    key: settings.key ?? ['user_id'],
    chunkRows: settings.chunkRows ?? 100,
  });
  const key = named(frozen.columns, settings.key ?? ['user_id']);
  const keep = named(frozen.columns, settings.keep ?? ['country']);
  const names = { ...NAMES, scores: settings.scores ?? NAMES.scores, ...(layout !== 'wide' && { report: undefined }) };
  const tables = tablesOf(names, { key, keep, scoreColumn: 'score', layout });
  const work = await temporaryFolder();
  const tally = () => sink.tally({ runId, frozen, key, keep, scorer: undefined, scoreEdges: edges });
  const numeric = key[0]?.type === 'integer';
  return {
    runId,
    warehouse,
    frozen,
    tables,
    window,
    async stage(chunk, ending, outcome = {}) {
      const attempt = attemptOf(outcome.frozen ?? frozen.id, ending, outcome.scorer);
      const folder = await sink.workFolder(runId);
      const made = path.join(work, `${chunk}-${attempt}.parquet`);
      const file = path.join(folder, `chunk-${chunk}-${attempt}.parquet`);
      const first = identifier(key[0]?.name ?? '');
      const score = outcome.score ?? (numeric ? `(case when true then ${first} end) / 1000.0` : `0.5`);
      const reject = outcome.reject ?? 'null';
      const staged = (expression: string, column: Column) =>
        sink.stagesText && isStagedAsText(column) ? canonicalText(expression, column) : expression;
      const scoredAt = staged("timestamptz '2026-11-23 08:00:00+00'", { name: 'scored_at', type: 'timestamp', native: '' });
      await mkdir(folder, { recursive: true });
      await withWorker(async (database) => {
        await warehouse.source.loadChunk(frozen, chunk, database);
        await database.run(
          `copy (
           select ${key.map((column, i) => `${staged(outcome.key ?? identifier(column.name), column)} as ${stagedKey(i)}`).join(', ')},
             ${keep.map((column, i) => `${staged(identifier(column.name), column)} as ${stagedKeep(i)}, `).join('')}
             case when ${reject} is null then cast(${score} as decimal(7, 6)) end as score,
             cast(${reject} as varchar) as reason, case when ${reject} is not null then 'a' end as column_name,
             cast(null as varchar) as value, cast(${chunk} as integer) as chunk, ${literal(attempt)} as attempt,
             ${literal(outcome.provider ?? 'cpu')} as provider, ${literal(FACTS)} as facts, ${scoredAt} as scored_at
           from chunk where ${outcome.where ?? 'true'}
         ) to ${literal(made)} (format parquet)`,
        );
      });
      // Staging may move the file.
      await copyFile(made, file);
      const rows = frozen.chunks.find((other) => other.chunk === chunk)?.rows ?? 0;
      const seconds = { read: 0, encode: 0, score: 0, write: 0 };
      await sink.stage(runId, { chunk, attempt, file, rows, provider: outcome.provider ?? 'cpu', seconds });
    },
    tally,
    async publish(meanwhile) {
      const { pinned, rejections } = await tally();
      await meanwhile?.();
      const scored = pinned.reduce((sum, attempt) => sum + attempt.scored, 0);
      const quarantined = rejections.reduce((sum, { rows }) => sum + rows, 0);
      const spec: PublicationSpec = {
        entry: {
          ...entryOf(runId, window),
          ...(settings.job !== undefined && { job: settings.job }),
          ...(settings.model && { model: settings.model }),
          state: 'published',
          rows: { frozen: frozen.rows, scored, quarantined },
        },
        supersedes: settings.supersedes,
        overlaps: settings.overlaps ?? [],
        sharedTables: settings.sharedTables ?? false,
        pinned,
        tables,
        key,
        keep,
        bands,
        segments: keep.some(({ name }) => name === 'country') ? ['country'] : [],
        reported: true,
        scored,
      };
      return await sink.publish(spec);
    },
  };
}

async function stageAll(run: TestRun, outcome: Outcome = {}): Promise<void> {
  for (const { chunk } of run.frozen.chunks) await run.stage(chunk, 'aaaa', outcome);
}

async function publishRun(warehouse: Warehouse, runId: string, settings: RunSettings & Outcome = {}): Promise<TestRun> {
  const { reject, score, ...rest } = settings;
  const run = await startRun(warehouse, runId, rest);
  await stageAll(run, { ...(reject !== undefined && { reject }), ...(score !== undefined && { score }) });
  await run.publish();
  return run;
}

function emptyTables(): Tables {
  return tablesOf(NAMES, { key: [], keep: [], scoreColumn: 'score' });
}

function entryOf(runId: string, window: LedgerWindow): LedgerEntry {
  return {
    recordedAt: '2026-11-23T08:00:00.000Z',
    runId,
    job: JOB,
    window,
    state: 'started',
    fingerprint: 'f'.repeat(64),
    model: MODEL,
    host: 'here',
    details: {},
  };
}

/** Rows of the published tables. */
async function counts({ rows, table }: Subject): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const part of ['scores', 'quarantine', 'report', 'summary'] as const) {
    const [row] = await rows(`select count(*) as n from ${table(NAMES[part])}`);
    found[part] = Number(row?.n);
  }
  return found;
}

// Apart from each other and from any value of a test.
const CELL_END = '\u001f';
const ROW_END = '\u001e';
const NULL = '\u001a';

/** The run's rows of the scores table in the order of their ranks, every value as text. */
async function readScores({
  warehouse,
  tables,
  runId,
  window,
  frozen,
  tally,
}: TestRun): Promise<Record<string, string | null>[]> {
  const { columns } = tables.scores;
  const names = columns.slice(0, columns.findIndex(({ name }) => name === 'band') + 1).map(({ name }) => name);
  const cells = names.map((name) => `coalesce(cast(${identifier(name)} as varchar), '${NULL}')`);
  const line = `concat(${cells.join(`, '${CELL_END}', `)}, '${ROW_END}')`;
  const scored = (await tally()).pinned.reduce((sum, attempt) => sum + attempt.scored, 0);
  let text = '';
  for await (const { complete, lines } of warehouse.sink.published({
    runId,
    window,
    job: JOB,
    table: tables.scores,
    line,
    rows: scored,
  })) {
    if (!complete) return [];
    text += Buffer.from(lines).toString('utf8');
  }
  const rows = text.split(ROW_END).slice(0, -1);
  expect(rows, `rows frozen: ${frozen.rows}`).toHaveLength(scored);
  return rows.map((row) =>
    Object.fromEntries(row.split(CELL_END).map((value, i) => [names[i], value === NULL ? null : value])),
  );
}
