import { expect } from 'vitest';
import { identifier } from '../../../src/duckdb/sql.ts';
import { NAMES, type TestRun } from './run.ts';
import { JOB, type Subject } from './subject.ts';

/** Rows of the published tables. */
export async function counts({ rows, table }: Subject): Promise<Record<string, number>> {
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
export async function readScores({
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
    lines: [line],
    rows: scored,
  })) {
    if (!complete) return [];
    text += Buffer.concat(lines).toString('utf8');
  }
  const rows = text.split(ROW_END).slice(0, -1);
  expect(rows, `rows frozen: ${frozen.rows}`).toHaveLength(scored);
  return rows.map((row) =>
    Object.fromEntries(row.split(CELL_END).map((value, i) => [names[i], value === NULL ? null : value])),
  );
}
