import { expect } from 'vitest';
import { comparePublications } from '../../../src/compare/compare-runs.ts';
import { compareStreams } from '../../../src/compare/compare-streams.ts';
import { rowsOfSide } from '../../../src/compare/side.ts';
import { stagedRows } from '../../../src/compare/staged-side.ts';
import type { Bands } from '../../../src/domain/bands.ts';
import type { SideFacts } from '../../../src/domain/comparison.ts';
import type { Run } from '../../../src/domain/ledger.ts';
import type { TableReader } from '../../../src/warehouse/reader.ts';
import { bandsByShare, pairsOf, quantiles, spearman, topDecileOverlap, type User } from '../../compare/brute-force.ts';
import { named } from './frozen.ts';
import { MODEL, publishRun, stageAll, startRun, type TestRun } from './run.ts';
import { type Area, JOB, withUsers } from './subject.ts';

const BANDS: Bands = { by: 'share', bounds: [{ name: 'high', bound: 100_000 }], rest: 'low' };

/** Comparisons in one warehouse by SQL, and by streams: published rows with rows that are only staged. */
export const comparison: Area = (it, makeSubject) => {
  it('compares published with staged scores as the plainest computation does, by SQL and by streams', async () => {
    const { warehouse } = await withUsers(makeSubject, 300);
    const { sink } = warehouse;
    const first = await publishRun(warehouse, 'first');
    const aside = await startRun(warehouse, 'aside');
    // Many users are tied at the borders of the band and of the riskiest tenth.
    await stageAll(aside, { score: '((user_id * 7) % 12) / 20.0', reject: "case when user_id < 5 then 'too odd' end" });
    const { pinned } = await aside.tally();
    const key = named(aside.frozen.columns, ['user_id']);
    const users = (score: (id: number) => number, from: number) =>
      Array.from({ length: 300 - from }, (_, i): User => ({ key: [i + from], score: score(i + from) }));
    const [a, b] = [users((id) => id * 1000, 0), users((id) => ((id * 7) % 12) * 50_000, 5)];

    const found = await sink.readStaged({ runId: 'aside', key, pinned }, async (reader, staged) => {
      const sides = {
        a: { facts: facts('first', first), rows: await rowsOfSide(reader, sideOf(first)), users: 300, read: reading(reader) },
        b: {
          ...{ facts: facts('aside', aside), users: 295, read: reading(reader) },
          rows: stagedRows(reader.dialect, { staged, key, stagesText: sink.stagesText }),
        },
      };
      return {
        sql: await comparePublications(reader, { ...sides, bands: { a: BANDS, b: BANDS }, largest: 4 }),
        streams: await compareStreams({
          ...{ ...sides, bands: { a: BANDS, b: BANDS }, largest: 4, rowsAtOnce: 100 },
          signal: new AbortController().signal,
        }),
      };
    });

    const pairs = pairsOf(a, b);
    const changes = pairs.map((pair) => pair.b.score - pair.a.score);
    expect(found.sql).toMatchObject({
      coverage: { both: 295, only_a: 5, only_b: 0 },
      a: { quantiles: quantiles(a.map(({ score }) => score)) },
      b: { quantiles: quantiles(b.map(({ score }) => score)) },
      differences: {
        mean: expect.closeTo(changes.reduce((sum, change) => sum + change, 0) / 295 / 1e6, 8),
        quantiles: quantiles(changes),
      },
      ranks: { top_decile_overlap: expect.closeTo(topDecileOverlap(pairs), 8), spearman: expect.closeTo(spearman(pairs), 8) },
    });
    const bounds = [{ name: 'high', share: 0.1 }];
    const [ofA, ofB] = [bandsByShare(a, bounds, 'low'), bandsByShare(b, bounds, 'low')];
    const count = (from: string, to: string) =>
      pairs.filter(({ a: { key: id } }) => ofA.get(JSON.stringify(id)) === from && ofB.get(JSON.stringify(id)) === to).length;
    expect(found.sql.bands?.moves.map(({ from, to, users: n }) => [from, to, n])).toEqual(
      [['high', 'high'] as const, ['high', 'low'] as const, ['low', 'high'] as const, ['low', 'low'] as const]
        .map(([from, to]) => [from, to, count(from, to)])
        .filter(([, , n]) => n !== 0),
    );
    // Equal differences are in another order.
    const { largest, ...measures } = found.sql;
    const { largest: streamed, ...others } = found.streams;
    expect(others).toEqual(measures);
    expect(streamed.map(({ difference }) => difference)).toEqual(largest.map(({ difference }) => difference));
    expect(largest[0]?.key).toHaveLength(1);
  });
};

function reading(reader: TableReader) {
  return <T>(work: (one: TableReader) => Promise<T>): Promise<T> => work(reader);
}

function facts(name: string, { runId, window }: TestRun): SideFacts {
  return { name, job: JOB, window, run_id: runId, publication: 1, rows: 'published', model: MODEL };
}

function sideOf(run: TestRun): Parameters<typeof rowsOfSide>[1] {
  const { tables, window, runId } = run;
  const key = tables.scores.columns.filter(({ name }) => name === 'user_id');
  return {
    ...{ facts: facts(runId, run), window, users: 300, run: {} as Run },
    rows: { ...{ table: tables.scores, job: JOB, window, runId, publication: 1, replaced: false, key }, score: 'score' },
  };
}
