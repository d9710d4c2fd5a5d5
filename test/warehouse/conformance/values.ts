import { expect } from 'vitest';
import { plain } from './frozen.ts';
import { readScores } from './published.ts';
import { stageAll, startRun } from './run.ts';
import { type Area, openSubject } from './subject.ts';
import { compareKeys, type KeyType, tiedKeys } from './tied-keys.ts';

/** Values and their order, through a warehouse and back. */
export const values: Area = (it, makeSubject) => {
  it('brings values of every kind through, to the last digit', async () => {
    const { warehouse, kinds, integerType } = await openSubject(makeSubject);
    const rows = [0, 1, 2].map((row) => {
      const values = kinds.map(
        ({ column, expressions }) => `${expressions[row] ?? `nullif(${expressions[0]}, ${expressions[0]})`} as ${column.name}`,
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
};
