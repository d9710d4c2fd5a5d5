import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { showQuery } from '../../src/domain/query.ts';
import { parseTableName } from '../../src/domain/table-name.ts';
import type { WarehouseKind } from '../../src/domain/warehouse-kind.ts';
import { bindWindow } from '../../src/job/parameters.ts';
import { codeRanges, singleStatement } from '../../src/job/sql-code.ts';
import { BIGQUERY } from '../../src/warehouse/bigquery/dialect.ts';
import type { Dialect } from '../../src/warehouse/dialect.ts';
import { DUCKDB } from '../../src/warehouse/duckdb/dialect.ts';
import { SNOWFLAKE } from '../../src/warehouse/snowflake/dialect.ts';
import { weekWindow } from '../../src/window/window.ts';
import { hostileText } from '../support/hostile-text.ts';

// The code that quotes a text and the code that finds code ranges are independent, so each tests the other. The warehouses
// themselves are tested in test/duckdb/sql.test.ts and test/warehouse/*/quoting.test.ts.

const DIALECTS: readonly [WarehouseKind, Dialect][] = [
  ['duckdb', DUCKDB],
  ['bigquery', BIGQUERY],
  ['snowflake', SNOWFLAKE],
];
const WEEK = weekWindow('2026-11-16', 'Europe/Berlin');

const code = (sql: string, kind: WarehouseKind) => codeRanges(sql, kind).map(([start, end]) => sql.slice(start, end));

describe.each(DIALECTS)('in %s', (kind, dialect) => {
  it('finds no code in a quoted text, whatever it contains', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(code(`select ${dialect.literal(text)}, 1`, kind)).toEqual(['select ', ', 1']);
      }),
      { numRuns: 1000 },
    );
  });

  it('finds no code in a quoted name, or in a table name of a job file', () => {
    fc.assert(
      fc.property(hostileText, (name) => {
        expect(code(`select ${dialect.identifier(name)} from t`, kind)).toEqual(['select ', ' from t']);
        const parts = parseTableName(name) ?? [name];
        const dots = parts.slice(1).map(() => '.');
        expect(code(`from ${dialect.table(parts)} t`, kind)).toEqual(['from ', ...dots, ' t']);
      }),
      { numRuns: 1000 },
    );
  });

  it('finds parameters in code only, however it is nested', () => {
    const without = (...ends: string[]) =>
      hostileText.map((text) => ends.reduce((rest, end) => rest.replaceAll(end, ''), text));
    // Spaces around all parts, since adjacent parts may form another token.
    const inert = fc.oneof(
      hostileText.map(dialect.literal),
      hostileText.map(dialect.identifier),
      without('\n').map((text) => `--${text}\n`),
      without('/*', '*/', '*', '/').map((text) => `/*${text}*/`),
      ...(kind === 'duckdb'
        ? [
            without('/*', '*/', '*', '/').map((text) => `/* a /*${text}*/ :window_end */`),
            without('$').map((text) => `$tag$${text}$$ :window_end $tag$`),
          ]
        : []),
      ...(kind === 'bigquery'
        ? [
            without('\n').map((text) => `#${text}\n`),
            without("'", '\\').map((text) => `'''${text}' :window_end '''`),
            without('"', '\\').map((text) => `r"""${text}" :window_end """`),
          ]
        : []),
      ...(kind === 'snowflake'
        ? [without('\n').map((text) => `//${text}\n`), without('$').map((text) => `$$${text} :window_end $$`)]
        : []),
    );
    const piece = fc.oneof(
      inert.map((text) => ({ text, parameters: 0 })),
      fc.constant({ text: 'at >= :window_start', parameters: 1 }),
      fc.constant({ text: 'f(:window_start,:window_end)', parameters: 2 }),
      fc.constant({ text: 'a / b - c * d', parameters: 0 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const sql = pieces.map(({ text }) => ` ${text} `).join('');
        const query = bindWindow(sql, WEEK, 'q.sql', kind);
        expect(query.parameters).toHaveLength(pieces.reduce((sum, { parameters }) => sum + parameters, 0));
        expect(showQuery(query)).toBe(sql);
        expect(singleStatement(sql, kind)).toBe(sql);
        expect(singleStatement(`${sql};`, kind)).toBe(sql);
        expect(singleStatement(`${sql};select 1`, kind)).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });
});
