import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { WarehouseKind } from '../../src/domain/warehouse-kind.ts';
import { codeRanges, singleStatement } from '../../src/job/sql-code.ts';

const show = (sql: string, kind: WarehouseKind = 'duckdb'): string[] =>
  codeRanges(sql, kind).map(([start, end]) => sql.slice(start, end));

it('finds code between comments, strings and quoted names', () => {
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

it('uses the strings, names and comments of the dialect', () => {
  const bigquery = `a 'b\\'c' d "e\\"f" g \`h\` i # j\nk '''l 'm' \nn''' o """p "q" """ r /* s /* t */ u`;
  expect(show(bigquery, 'bigquery').map((code) => code.trim())).toEqual(['a', 'd', 'g', 'i', 'k', 'o', 'r', 'u']);
  const snowflake = `a 'b\\'c''d' e "f""g" h // i 'j'\nk $$l 'm'$$ n /* o /* p */ q`;
  expect(show(snowflake, 'snowflake').map((code) => code.trim())).toEqual(['a', 'e', 'h', 'k', 'n', 'q']);
});

it('gives ordered, separate ranges that leave out exactly what is not code', () => {
  const piece = fc.constantFrom("'", '"', '--', '\n', '/*', '*/', '$$', '$a$', 'e', 'E', '\\', ';', ' ', ':window_start');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join('')),
      (sql) => {
        let last = 0;
        for (const [start, end] of codeRanges(sql, 'duckdb')) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          // The start of a string, a name or a comment is never code.
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
])('accepts %j as one statement', (sql, statement) => {
  expect(singleStatement(sql, 'duckdb')).toBe(statement);
});

it.each(['select 1; select 2', 'select 1;;select 2', 'select 1; /* */ drop table users', "select 1; 'text'", '; select 1'])(
  'finds more than one statement in %j',
  (sql) => {
    expect(singleStatement(sql, 'duckdb')).toBeUndefined();
  },
);
