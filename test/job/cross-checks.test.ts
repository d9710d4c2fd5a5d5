import { expect, it } from 'vitest';
import { parseJob } from '../../src/job/parse.ts';
import { presentError } from '../../src/terminal/error.ts';

function problems(changes: { warehouse?: string; key?: string; column?: string; sink?: string; report?: string }): string[] {
  const { warehouse = 'duckdb:w.duckdb', key = '[id]', column = 'score', sink = 'table: m.scores', report = '{}' } = changes;
  const text = `name: churn
model: models/churn
time_zone: Europe/Berlin
source: { warehouse: "${warehouse}", query: select 1, key: ${key} }
score: { column: ${column} }
sink: { ${sink} }
report: ${report}
`;
  try {
    parseJob(text, 'job.yaml', {});
    return [];
  } catch (error) {
    return presentError(error).text.split('\n').slice(1, -1);
  }
}

it('refuses names that clash in one table, whatever their case', () => {
  expect(
    [
      ...problems({ key: '[id, country, ID]' }),
      ...problems({ sink: 'table: m.scores, keep: [country, Id, COUNTRY]' }),
      ...problems({ sink: 'table: m.scores, keep: [country]', report: '{ segments: [country, country] }' }),
      ...problems({ key: '[Rank]', sink: 'table: m.scores, keep: [run_id]', column: 'decile' }),
      ...problems({ column: 'ID' }),
    ].join('\n'),
  ).toMatchInlineSnapshot(`
    "  job.yaml:4:77: source.key.2: ID is listed twice
      job.yaml:6:42: sink.keep.1: Id is listed twice
      job.yaml:6:46: sink.keep.2: COUNTRY is listed twice
      job.yaml:7:31: report.segments.1: country is listed twice
      job.yaml:4:64: source.key.0: Rank is reserved for a column that score-batch writes; rename it in the query
      job.yaml:5:18: score.column: decile is reserved for a column that score-batch writes; rename it in the query
      job.yaml:6:33: sink.keep.0: run_id is reserved for a column that score-batch writes; rename it in the query
      job.yaml:5:18: score.column: ID is also a key or kept column"
  `);
});

it('refuses a segment that is not kept', () => {
  expect(problems({ sink: 'table: m.scores, keep: [country]', report: '{ segments: [Country, plan] }' })).toEqual([
    '  job.yaml:7:31: report.segments.1: plan is not in sink.keep, so the report does not have the column',
  ]);
});

it('refuses reports that need ranks without the wide layout', () => {
  const sink = 'table: m.scores, layout: narrow';
  expect(problems({ sink, report: '{ table: m.report, summary_table: m.summary, csv: "r-{window}.csv" }' })).toEqual([
    '  job.yaml:7:18: report.table: a report needs ranks, and sink.layout: narrow has none; leave it out, or use the wide layout',
    '  job.yaml:7:43: report.summary_table: bands by share need ranks, and sink.layout: narrow has none; use thresholds in score.bands, or the wide layout',
    '  job.yaml:7:59: report.csv: a report needs ranks, and sink.layout: narrow has none; leave it out, or use the wide layout',
  ]);
  expect(problems({ sink: 'table: m.scores, layout: slim', report: '{ table: m.report }' })).toEqual([
    '  job.yaml:7:18: report.table: a report needs ranks, and sink.layout: slim has none; leave it out, or use the wide layout',
  ]);
  const column = 'score, bands: { high: 0.9 }';
  expect(problems({ sink, column, report: '{ summary_table: m.summary }' })).toEqual([]);
});

it('refuses a shared slim table, and a column named like its publication number', () => {
  expect(problems({ sink: 'table: m.scores, layout: slim, keep: [Publication], shared_tables: true' })).toEqual([
    '  job.yaml:6:47: sink.keep.0: Publication is reserved for a column that score-batch writes; rename it in the query',
    '  job.yaml:6:76: sink.shared_tables: rows of the slim layout do not name their job, so jobs cannot share such a table; use the narrow layout',
  ]);
  expect(problems({ sink: 'table: m.scores, keep: [publication]' })).toEqual([]);
});

it('refuses two tables with the same name', () => {
  expect(problems({ report: '{ table: M.Scores, summary_table: m.summary }' })).toEqual([
    '  job.yaml:7:18: report.table: M.Scores is already sink.table',
  ]);
  expect(problems({ report: '{ table: m.report, summary_table: \'"m"."report"\' }' })).toEqual([
    '  job.yaml:7:43: report.summary_table: "m"."report" is already report.table',
  ]);
});

it.each(['m.scores_quarantine', 'm.score_batch_ledger'])('refuses %s, a table of the scores, as the report', (table) => {
  expect(problems({ report: `{ table: ${table} }` })).toHaveLength(1);
});

it('accepts different names that look alike when their parts are joined', () => {
  expect(problems({ sink: 'table: \'"a.b".c\'', report: '{ table: \'a."b.c"\' }' })).toEqual([]);
});

it('unloading is for Snowflake', () => {
  const unload = (warehouse: string) => problems({ warehouse, key: '[id], unload: true' });
  expect(unload('snowflake://account/db/schema')).toEqual([]);
  const refused = (kind: string) => [
    expect.stringContaining(`source.unload: only Snowflake can unload rows, and the source is ${kind}; leave unload out`),
  ];
  expect(unload('duckdb:w.duckdb')).toEqual(refused('duckdb'));
  expect(unload('bigquery://project/dataset')).toEqual(refused('bigquery'));
});

it('refuses report files that would be one file, whatever their spelling, or be inside of each other', () => {
  const report =
    '{ csv: "r/a-{window}.x", parquet: "./r//A-{window}.x", xlsx: "r/a-{window}.x/b.xlsx", page: "r/{window}.html" }';
  expect(problems({ report })).toEqual([
    '  job.yaml:7:43: report.parquet: ./r//A-{window}.x is already report.csv',
    '  job.yaml:7:70: report.xlsx: r/a-{window}.x/b.xlsx would be inside r/a-{window}.x, which is the file of report.csv',
  ]);
  expect(problems({ report: '{ csv: "r/{window}.csv", parquet: "r/{window}.parquet", xlsx: "r/{window}.xlsx" }' })).toEqual([]);
});

it('refuses a page in a folder per window, since one index lists all pages', () => {
  expect(problems({ report: '{ page: "r/{window}/report.html" }' })).toEqual([
    "  job.yaml:7:17: report.page: r/{window}/report.html has {window} in the name of a folder, but index.html beside the page lists all windows; use it in the file's name only",
  ]);
  expect(problems({ report: '{ page: "r/report-{window}.html", csv: "r/{window}/report.csv" }' })).toEqual([]);
});
