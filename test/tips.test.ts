import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { makeProject, repository } from './support/project.ts';
import { rowsOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';

const JOB = `name: tips
model: model
time_zone: America/New_York
source:
  warehouse: duckdb:data/warehouse.duckdb
  query: select * from visits where visited >= :window_start_date and visited < :window_end_date
  key: [visit_id]
score: { column: low_tip, chunk_rows: 50 }
sink: { table: marketing.tips, keep: [day], quarantine_values: plain }
gates: { max_quarantine_rate: 1% }
`;

it('scores a scikit-learn pipeline with one named input per column, text columns included', async () => {
  const folder = await makeProject({
    warehouse: [
      `create table visits as select *, date '1997-03-10' + cast(visit_id % 7 as integer) as visited
       from read_csv('${repository('test/fixtures/tips/tips.csv')}')`,
      // Visits 1 and 2 once more: on a day the model never saw, and at a time that model.yaml maps to Dinner.
      "insert into visits select * replace (1001 as visit_id, 'Mon' as day) from visits where visit_id = 1",
      "insert into visits select * replace (1002 as visit_id, 'Brunch' as time) from visits where visit_id = 2",
    ],
    job: JOB,
    model: repository('test/fixtures/tips'),
  });
  const { code, stdout } = await scoreBatch(folder, ['--week', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    rows: { frozen: 246, scored: 245, quarantined: 1 },
    quarantined: [{ reason: 'unknown category', column: 'day', rows: 1 }],
  });
  const text = await readFile(repository('test/fixtures/tips/expected.csv'), 'utf8');
  const rows = parse(text, { columns: true }) as { visit_id: string; score: string }[];
  const expected = new Map(rows.map(({ visit_id, score }) => [visit_id, Number(score)]));
  expect(expected.size).toBe(244);
  // Visit 2 was at dinner.
  expected.set('1002', expected.get('2') ?? Number.NaN);
  const published = await rowsOf(folder, 'select visit_id, low_tip from marketing.tips');
  expect(published.map(({ visit_id }) => visit_id).sort()).toEqual([...expected.keys()].sort());
  // 1e-6 between the runtimes, and half of the sixth decimal to which the published score is rounded.
  const far = published.filter(
    ({ visit_id, low_tip }) => !(Math.abs(Number(low_tip) - (expected.get(String(visit_id)) ?? Number.NaN)) <= 1.5e-6),
  );
  expect(far).toEqual([]);
  expect(await rowsOf(folder, 'select visit_id, reason, column_name, value from marketing.tips_quarantine')).toEqual([
    { visit_id: '1001', reason: 'unknown category', column_name: 'day', value: 'Mon' },
  ]);
});
