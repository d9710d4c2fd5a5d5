import type { Dialect } from '../warehouse/dialect.ts';
import { PERCENTS } from './pair-facts.ts';

/**
 * Common table expressions that count the rows of a SELECT by an integer column: `<name>_steps` has each distinct `step` with
 * its number of rows `n`, the number up to it (`upto`) and of all (`total`). Sorts distinct values, not rows.
 */
export function stepsOf(name: string, select: string, column: string): string {
  return `${name}_counted AS (SELECT ${column} AS step, COUNT(*) AS n FROM ${select} GROUP BY ${column}),
    ${name}_steps AS (SELECT step, n, SUM(n) OVER (ORDER BY step ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto,
      SUM(n) OVER () AS total FROM ${name}_counted)`;
}

/** Expressions over steps for the quantiles of `PERCENTS`: the lowest value that this percentage of rows does not exceed. */
export function quantilesOver(): string[] {
  return PERCENTS.map((percent) => `MIN(CASE WHEN upto * 100 >= total * ${percent} THEN step END)`);
}

/** SELECT list of integer expressions as text, each with a name. */
export function asTexts(dialect: Dialect, expressions: readonly string[]): string {
  const integer = dialect.type({ type: 'integer' });
  return expressions
    .map((expression, i) => `${dialect.text(`CAST(${expression} AS ${integer})`, { type: 'integer' })} AS value_${i}`)
    .join(', ');
}

/** An integer of a text row; undefined for null. */
export function toNumber(text: string | null | undefined): number | undefined {
  return text === null || text === undefined ? undefined : Number(text);
}
