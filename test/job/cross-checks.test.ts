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

it('names that meet in one table are refused, whatever their case', () => {
  expect(
    [
      ...problems({ key: '[id, country, ID]' }),
      ...problems({ sink: 'table: m.scores, keep: [country, Id, COUNTRY]' }),
      ...problems({ sink: 'table: m.scores, keep: [country]', report: '{ segments: [country, country] }' }),
      ...problems({ key: '[Rank]', sink: 'table: m.scores, keep: [run_id]', column: 'decile' }),
      ...problems({ column: 'ID' }),
    ].join('\n'),
  ).toMatchInlineSnapshot(`
    "  job.yaml:4:77: source.key.2: ID is named already
      job.yaml:6:42: sink.keep.1: Id is named already
      job.yaml:6:46: sink.keep.2: COUNTRY is named already
      job.yaml:7:31: report.segments.1: country is named already
      job.yaml:4:64: source.key.0: Rank is the name of a column that score-batch writes; rename it in the query
      job.yaml:5:18: score.column: decile is the name of a column that score-batch writes; rename it in the query
      job.yaml:6:33: sink.keep.0: run_id is the name of a column that score-batch writes; rename it in the query
      job.yaml:5:18: score.column: ID is also a key or kept column"
  `);
});

it('a segment must be kept, or the report would not have it', () => {
  expect(problems({ sink: 'table: m.scores, keep: [country]', report: '{ segments: [Country, plan] }' })).toEqual([
    '  job.yaml:7:31: report.segments.1: plan is not in sink.keep, so the report does not have it',
  ]);
});

it('what is in the order of ranks needs the wide layout', () => {
  const sink = 'table: m.scores, layout: narrow';
  expect(problems({ sink, report: '{ table: m.report, summary_table: m.summary, csv: "r-{window}.csv" }' })).toEqual([
    '  job.yaml:7:18: report.table: a report is in the order of ranks, which sink.layout: narrow has not; leave it out, or take the wide layout',
    '  job.yaml:7:43: report.summary_table: bands by share need ranks, which sink.layout: narrow has not; give thresholds in score.bands, or take the wide layout',
    '  job.yaml:7:59: report.csv: a report is in the order of ranks, which sink.layout: narrow has not; leave it out, or take the wide layout',
  ]);
  expect(problems({ sink: 'table: m.scores, layout: slim', report: '{ table: m.report }' })).toEqual([
    '  job.yaml:7:18: report.table: a report is in the order of ranks, which sink.layout: slim has not; leave it out, or take the wide layout',
  ]);
  const column = 'score, bands: { high: 0.9 }';
  expect(problems({ sink, column, report: '{ summary_table: m.summary }' })).toEqual([]);
});

it('a slim table is of one job, and has a column of its own for the publication', () => {
  expect(problems({ sink: 'table: m.scores, layout: slim, keep: [Publication], shared_tables: true' })).toEqual([
    '  job.yaml:6:47: sink.keep.0: Publication is the name of a column that score-batch writes; rename it in the query',
    '  job.yaml:6:76: sink.shared_tables: rows of the slim layout do not say whose they are, so that two jobs cannot share a table; take the narrow layout',
  ]);
  expect(problems({ sink: 'table: m.scores, keep: [publication]' })).toEqual([]);
});

it('each table has its own name', () => {
  expect(problems({ report: '{ table: M.Scores, summary_table: m.summary }' })).toEqual([
    '  job.yaml:7:18: report.table: M.Scores is already sink.table',
  ]);
  expect(problems({ report: '{ table: m.report, summary_table: \'"m"."report"\' }' })).toEqual([
    '  job.yaml:7:43: report.summary_table: "m"."report" is already report.table',
  ]);
});

it.each(['m.scores_quarantine', 'm.score_batch_ledger'])('%s stands beside the scores and cannot be the report', (table) => {
  expect(problems({ report: `{ table: ${table} }` })).toHaveLength(1);
});

it('names are apart though they look alike when their parts are joined', () => {
  expect(problems({ sink: 'table: \'"a.b".c\'', report: '{ table: \'a."b.c"\' }' })).toEqual([]);
});

it('unloading is for Snowflake', () => {
  const unload = (warehouse: string) => problems({ warehouse, key: '[id], unload: true' });
  expect(unload('snowflake://account/db/schema')).toEqual([]);
  const refused = (kind: string) => [
    expect.stringContaining(`source.unload: only Snowflake unloads its rows, and the source is ${kind}; leave unload out`),
  ];
  expect(unload('duckdb:w.duckdb')).toEqual(refused('duckdb'));
  expect(unload('bigquery://project/dataset')).toEqual(refused('bigquery'));
});
