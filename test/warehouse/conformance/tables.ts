import { expect } from 'vitest';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { counts } from './published.ts';
import { NAMES, publishRun, stageAll, startRun } from './run.ts';
import { type Area, withUsers } from './subject.ts';

/** Tables that are there, and what runs leave in scratch. */
export const tables: Area = (it, makeSubject) => {
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
};
