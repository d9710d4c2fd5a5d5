import fc from 'fast-check';
import { expect, it } from 'vitest';
import { codeRanges, singleStatement } from '../../src/job/sql-code.ts';

const show = (sql: string): string[] => codeRanges(sql).map(([start, end]) => sql.slice(start, end));

it('code is what stands between comments, strings and quoted names', () => {
  expect(show(`a 'b' c "d" e -- f\ng /* h\n */ i $$j$$ k $t$l $$ m$t$ n E'o\\'p' q`)).toEqual([
    'a ',
    ' c ',
    ' e ',
    '\ng ',
    ' i ',
    ' k ',
    ' n ',
    ' q',
  ]);
});

it('ranges are in order, apart, and leave out exactly what cannot be code', () => {
  const piece = fc.constantFrom("'", '"', '--', '\n', '/*', '*/', '$$', '$a$', 'e', 'E', '\\', ';', ' ', ':window_start');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join('')),
      (sql) => {
        let last = 0;
        for (const [start, end] of codeRanges(sql)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          // What opens a string, a name or a comment is never code.
          expect(sql.slice(start, end)).not.toMatch(/['"]|--|\/\*/);
          last = end;
        }
      },
    ),
  );
});

it.each([
  ['select 1', 'select 1'],
  ['select 1;', 'select 1'],
  ['select 1 ; ;\n-- done\n/* really */ ', 'select 1 '],
  ["select ';' ;", "select ';' "],
  ['select 1 -- ; select 2', 'select 1 -- ; select 2'],
  ['select $$;$$, ";", /* ; */ 1', 'select $$;$$, ";", /* ; */ 1'],
])('%j is one statement', (sql, statement) => {
  expect(singleStatement(sql)).toBe(statement);
});

it.each(['select 1; select 2', 'select 1;;select 2', 'select 1; /* */ drop table users', "select 1; 'text'", '; select 1'])(
  '%j is more than one statement',
  (sql) => {
    expect(singleStatement(sql)).toBeUndefined();
  },
);
