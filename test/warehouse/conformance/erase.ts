import { expect } from 'vitest';
import type { Bands } from '../../../src/domain/bands.ts';
import { corrections, type Person } from '../../../src/domain/erasure.ts';
import { tableDiscrepancies } from '../../../src/domain/held.ts';
import { type LedgerEntry, runsOf } from '../../../src/domain/ledger.ts';
import type { ScoreLayout, TableLayout, Tables } from '../../../src/domain/tables.ts';
import { findRows } from '../../../src/erase/find.ts';
import { knownSlices, tablesOfSlices } from '../../../src/erase/slices.ts';
import type { Job } from '../../../src/job/load.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { freeze, frozenIds, named, USERS } from './frozen.ts';
import { entryOf, NAMES, publishRun, stageAll, startRun, WEEK } from './run.ts';
import { publishSlice, textsOf } from './slice.ts';
import { type Area, JOB, type OpenSubject, openSubject, withUsers } from './subject.ts';

const KEPT = { since: new Date().toISOString(), days: 35, key: ['user_id'] };
const ERASED: LedgerEntry = {
  ...entryOf('erase-0123456789ab', { ...WEEK, label: 'erasure', kind: 'ad hoc' }),
  state: 'erased',
  details: { erasure: { reason: 'request 1', user: null, rows: {}, kept_rows: 0 } },
};
const THRESHOLDS: Bands = { by: 'threshold', bounds: [{ name: 'high', bound: 20_000 }], rest: 'low' };

function personOf({ scores }: Tables, value: string): Person {
  return { key: scores.columns.slice(0, 1), values: [value] };
}

/** Erases as the command does. @param seen number of ledger entries that the search has seen; by default all */
async function erase(
  warehouse: Warehouse,
  tables: Tables,
  value: string,
  { bands = THRESHOLDS, seen }: { bands?: Bands; seen?: number } = {},
) {
  const { sink } = warehouse;
  const ledger = warehouse.ledger(tables.ledger);
  const entries = await ledger.entries({ job: JOB });
  const parts = (['scores', 'quarantine', 'report'] as const).flatMap((part) => {
    const layout = tables[part];
    return layout === undefined ? [] : [false, true].map((replaced) => ({ part, job: JOB, layout, replaced }));
  });
  const person = personOf(tables, value);
  const score = { column: 'score', bands } as Parameters<typeof findRows>[1]['score'];
  const found = await findRows(sink, { name: JOB, score }, person, {
    tables: parts,
    summary: tables.summary,
    kept: ['country'],
    entries,
  });
  expect(found.warnings).toEqual([]);
  const spec = { entry: ERASED, corrections: corrections(found.rows, entries, ERASED), ledger: tables.ledger, person };
  const done = await sink.erase({
    ...spec,
    jobs: [JOB],
    seen: seen ?? entries.length,
    found: found.rows,
    segments: found.segments,
  });
  return {
    done,
    counts: Object.fromEntries(
      found.rows.map(({ part, replaced, rows }) => [replaced ? `${part} replaced` : part, rows.length]),
    ),
  };
}

/** What the tables hold of the published run, compared with the ledger. */
async function discrepancies({ sink, ledger }: Warehouse, tables: Tables): Promise<readonly string[]> {
  const [run] = runsOf(await ledger(tables.ledger).entries({ job: JOB, window: WEEK }));
  if (run === undefined) throw new Error('no run is in the ledger');
  const wrote = ['report', 'summary'].filter((part) => tables[part as keyof Tables] !== undefined) as ['report', 'summary'];
  return tableDiscrepancies({ ...run, details: { also_wrote: wrote } }, await sink.held(tables, JOB, [WEEK]), tables);
}

/** Moves the rows of a table, as a publication that replaced them would have, into the table for them. */
async function keepReplaced({ execute, table }: OpenSubject, { name, columns }: TableLayout): Promise<void> {
  const own = (column: string) => (columns.some((one) => one.name === column) ? column : undefined);
  await execute(`create table ${table([...name.slice(0, -1), `${name.at(-1)}_replaced`])} as select *,
    job as replaced_job, window_start as replaced_window_start, window_end as replaced_window_end, 7 as replaced_publication,
    ${own('run_id') ?? "'run'"} as replaced_run_id, window_end as replaced_at from ${table(name)}`);
}

/** Removing a person from what is published and what is kept. */
export const erasure: Area = (it, makeSubject) => {
  it('keeps the rows of a frozen table that is marked so, and says until when', async () => {
    const { warehouse } = await withUsers(makeSubject, 30);
    const { source, sink } = warehouse;
    const frozen = await freeze(warehouse, 'run', USERS, { kept: KEPT });
    expect((await source.frozen('run'))?.kept).toEqual(KEPT);
    await sink.discard('run');
    expect(await source.frozen('run')).toEqual(frozen);
    const marked = (await source.listArtifacts()).filter(({ kept }) => kept !== undefined);
    expect(marked.length).toBeGreaterThan(0);
    for (const { run, kept, deadline } of marked) {
      expect([run, kept]).toEqual(['run', KEPT]);
      // DuckDB drops nothing on its own.
      if (warehouse.kind !== 'duckdb') expect(Date.parse(deadline ?? '')).toBeGreaterThan(Date.now() + 34 * 86_400_000);
    }
    for (const artifact of await source.listArtifacts()) await source.drop(artifact);
    expect(await source.frozen('run')).toBeUndefined();
  });

  it('erases a person from frozen rows, which are another frozen table then, whole and verified', async () => {
    const { warehouse, alterFrozen } = await withUsers(makeSubject, 30);
    const { source } = warehouse;
    const frozen = await freeze(warehouse, 'run', USERS, { kept: KEPT, chunkRows: 10 });
    expect(await source.eraseFrozen(frozen, { values: ['7'] })).toBe(1);
    const left = await source.frozen('run');
    if (left === undefined) throw new Error('the frozen table is gone');
    expect([left.rows, left.kept, left.id === frozen.id]).toEqual([29, KEPT, false]);
    await source.verify(left, named(left.columns, ['user_id']));
    const ids = (await frozenIds(warehouse, left)).flat().sort((a, b) => a - b);
    expect(ids).toEqual(Array.from({ length: 30 }, (_, i) => i).filter((id) => id !== 7));
    expect(await source.eraseFrozen(left, { values: ['7'] })).toBe(0);
    expect(await source.frozen('run')).toEqual(left);
    // As another process erased meanwhile.
    await expect(source.eraseFrozen(frozen, { values: ['8'] })).rejects.toMatchObject({ kind: 'conflict' });
    expect(await source.frozen('run')).toEqual(left);
    await alterFrozen('another value');
    await expect(source.eraseFrozen(left, { values: ['8'] })).rejects.toMatchObject({ kind: 'refused' });
  });

  it('lets one of two erasures at once from the same frozen rows have its way, and brings back nobody', async () => {
    const { warehouse } = await withUsers(makeSubject, 30);
    const { source } = warehouse;
    const frozen = await freeze(warehouse, 'run', USERS, { kept: KEPT, chunkRows: 10 });
    const persons = ['7', '8'];
    const ends = await Promise.allSettled(persons.map((value) => source.eraseFrozen(frozen, { values: [value] })));
    const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    expect(failures).toEqual([expect.objectContaining({ kind: 'conflict' })]);
    const left = await source.frozen('run');
    if (left === undefined) throw new Error('the frozen table is gone');
    const late = persons[ends.findIndex(({ status }) => status === 'rejected')] ?? '';
    expect(await source.eraseFrozen(left, { values: [late] })).toBe(1);
    const last = await source.frozen('run');
    if (last === undefined) throw new Error('the frozen table is gone');
    await source.verify(last, named(last.columns, ['user_id']));
    const ids = (await frozenIds(warehouse, last)).flat().sort((a, b) => a - b);
    expect(ids).toEqual(Array.from({ length: 30 }, (_, i) => i).filter((id) => id !== 7 && id !== 8));
  });

  it('erases a person from every table with the counts, ranks and summaries, in one transaction with the ledger', async () => {
    const subject = await withUsers(makeSubject, 30);
    const { warehouse, rows, table } = subject;
    const run = await startRun(warehouse, 'run');
    await stageAll(run, { reject: "case when user_id = 29 then 'out of range' end" });
    await run.publish();
    const { tables } = run;
    for (const layout of [tables.scores, tables.report, tables.summary]) if (layout) await keepReplaced(subject, layout);
    expect((await erase(warehouse, tables, '7', { seen: 0 })).done).toBe(false);
    expect(await discrepancies(warehouse, tables)).toEqual([]);

    const { done, counts } = await erase(warehouse, tables, '7');
    expect([done, counts]).toEqual([true, { scores: 1, 'scores replaced': 1, report: 1, 'report replaced': 1 }]);
    expect(await discrepancies(warehouse, tables)).toEqual([]);
    for (const name of [NAMES.scores, NAMES.report, ['marketing', 'scores_replaced'], ['marketing', 'report_replaced']]) {
      const [ranks] =
        await rows(`select count(*) as n, min(rank) as lowest, max(rank) as highest, count(distinct rank) as ranks,
        sum(case when user_id = 7 then 1 else 0 end) as person from ${table(name)}`);
      expect(Object.values(ranks ?? {}).map(Number)).toEqual([28, 1, 28, 28, 0]);
    }
    // Ids are in the order of the ranks: nobody but those below the person has moved.
    const moved = await rows(
      `select count(*) as n from ${table(NAMES.scores)} where rank <> case when user_id > 7 then 29 - user_id else 28 - user_id end`,
    );
    expect(Number(moved[0]?.n)).toBe(0);
    for (const name of [NAMES.summary, ['marketing', 'summary_replaced']]) {
      const wrong =
        await rows(`select count(*) as n from ${table(name)} s where users <> (select count(*) from ${table(NAMES.scores)} p
        where p.band = s.band and (s.segment = 'all' or p.country = s.segment_value))
        or abs(expected_churners - (select sum(score) from ${table(NAMES.scores)} p where p.band = s.band and (s.segment = 'all' or p.country = s.segment_value))) > 0.0000001`);
      expect(Number(wrong[0]?.n)).toBe(0);
    }
    const entries = await warehouse.ledger(tables.ledger).entries({ job: JOB });
    expect(entries.slice(-2).map(({ runId, state, rows: left }) => [runId, state, left])).toEqual([
      ['run', 'published', { frozen: 29, scored: 28, quarantined: 1 }],
      [ERASED.runId, 'erased', undefined],
    ]);
    expect(JSON.stringify(entries.slice(-2))).not.toContain('"7"');
    // The one in quarantine.
    const [before] = await rows(`select count(*) as n from ${table(NAMES.quarantine)}`);
    expect(Number(before?.n)).toBe(1);
    expect((await erase(warehouse, tables, '29')).counts).toEqual({ quarantine: 1 });
    expect(await discrepancies(warehouse, tables)).toEqual([]);
  });

  for (const layout of ['narrow', 'slim'] as readonly ScoreLayout[]) {
    it(`erases a person from ${layout} scores, whose bands are by threshold`, async () => {
      const { warehouse, rows, table } = await withUsers(makeSubject, 30);
      const { tables } = await publishRun(warehouse, 'run', { layout, bands: THRESHOLDS });
      expect(await erase(warehouse, tables, '25')).toEqual({ done: true, counts: { scores: 1 } });
      expect(await discrepancies(warehouse, tables)).toEqual([]);
      const summary = await rows(`select band, users from ${table(NAMES.summary)} where segment = 'all' order by band`);
      expect(summary.map(({ band, users }) => [band, Number(users)])).toEqual([
        ['high', 9],
        ['low', 20],
      ]);
    });
  }

  it('erases a person from the current table, the rows copied from it and its quarantine, and nobody once a slice was published', async () => {
    const subject = await openSubject(makeSubject);
    const { sink } = subject.warehouse;
    const user = (id: number) => ({ key: [String(id)], country: 'DE', score: 100 * id, features: id });
    const rejected = { key: ['2'], country: 'DE', reason: 'unknown category' };
    await publishSlice(subject, 1, [user(1), user(3), user(4)], { whole: true, boundary: '2026-11-16T05:00:00.000Z' });
    const slice = await publishSlice(subject, 2, [rejected], { gone: [['3']], boundary: '2026-11-23T05:00:00.000Z' });
    const { ledger, quarantine } = slice.tables;
    const definition = { name: JOB, sink: { table: 'marketing.scores' }, report: {}, time_zone: 'UTC' };
    const known = () => knownSlices({ definition } as Job, { sink, ledger: subject.warehouse.ledger(ledger) });
    const eraseFrom = async (value: string, seen: number) => {
      const person = { key: slice.tables.quarantine.columns.slice(0, 1), values: [value] };
      const tables = tablesOfSlices(JOB, { tables: [slice.table] }, person.key);
      const score = { column: 'score', bands: THRESHOLDS } as Parameters<typeof findRows>[1]['score'];
      const search = { tables, summary: undefined, kept: [], entries: [] };
      const { rows } = await findRows(sink, { name: JOB, score }, person, search);
      const spec = { entry: ERASED, corrections: corrections(rows, [], ERASED), ledger, person, found: rows, segments: [] };
      const done = await sink.erase({ ...spec, jobs: [JOB, slice.spec.entry.job], seen });
      return { done, counts: rows.map(({ part, rows: found }) => `${found.length} ${part}`) };
    };
    const { seen } = await known();
    await publishSlice(subject, 3, [rejected]);
    expect(await eraseFrom('1', seen)).toEqual({ done: false, counts: ['1 current', '2 boundary'] });
    expect(Object.keys(await slice.rows())).toEqual(['1', '2', '3', '4']);
    const now = (await known()).seen;
    expect(await eraseFrom('1', now)).toEqual({ done: true, counts: ['1 current', '2 boundary'] });
    expect(await eraseFrom('2', now + 1)).toEqual({ done: true, counts: ['1 current', '1 boundary', '1 quarantine'] });
    // A tombstone.
    expect(await eraseFrom('3', now + 2)).toEqual({ done: true, counts: ['1 current', '1 boundary'] });
    expect(Object.keys(await slice.rows())).toEqual(['4']);
    for (const [table, ids] of [
      [slice.boundary, ['4', '4']],
      [quarantine, []],
    ] as const)
      expect((await textsOf(subject.warehouse, table)).map(([id]) => id)).toEqual(ids);
  });
};
