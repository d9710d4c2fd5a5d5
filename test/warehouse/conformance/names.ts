import { expect } from 'vitest';
import { ownNames } from '../../support/own-names.ts';
import { plain } from './frozen.ts';
import { readScores } from './published.ts';
import { NAMES, stageAll, startRun } from './run.ts';
import { type Area, openSubject } from './subject.ts';

const PARTS = 4;

/** Names and texts that mean something to SQL. */
export const names: Area = (it, makeSubject) => {
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

  // In parts: an emulator's time grows faster than the columns, and all at once take minutes. The tests' score has a name too.
  const names = ownNames().filter((name) => name !== 'score');
  const size = Math.ceil(names.length / PARTS);
  for (let part = 0; part < PARTS; part += 1) {
    const some = names.slice(part * size, (part + 1) * size);
    for (const [rest, which] of ['even', 'odd'].entries()) {
      it(`takes columns by the names that our own SQL uses, part ${part + 1}; ${which} ones are the key`, async () => {
        const { warehouse, execute, quote, stringType } = await openSubject(makeSubject);
        const values = (row: number) => `(${some.map((name) => `'${name} ${row}'`).join(', ')})`;
        await execute(`create table people (${some.map((name) => `${quote(name)} ${stringType}`).join(', ')})`);
        await execute(`insert into people values ${values(1)}, ${values(2)}`);
        const run = await startRun(warehouse, 'run', {
          query: plain(`select ${some.map(quote).join(', ')} from people`),
          key: some.filter((_, position) => position % 2 === rest),
          keep: some.filter((_, position) => position % 2 !== rest),
        });
        await stageAll(run);
        await run.publish();
        const expected = [1, 2].map((row) => Object.fromEntries(some.map((name) => [name, `${name} ${row}`])));
        expect(await readScores(run)).toMatchObject(expected);
      });
    }
  }
};
