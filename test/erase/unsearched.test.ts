import { expect, it } from 'vitest';
import type { FoundRows } from '../../src/domain/erasure.ts';
import type { LedgerEntry } from '../../src/domain/ledger.ts';
import { unsearchedTables } from '../../src/erase/unsearched.ts';
import { parseJob } from '../../src/job/parse.ts';

const JOB = `name: churn
model: model
time_zone: UTC
every: week
source: { warehouse: duckdb:a.duckdb, query: "select 1 where :window_start_date < :window_end_date", key: [user_id] }
score: { column: propensity }
sink: { table: marketing.scores }
report: { table: marketing.report }
`;
const definition = (from = '', to = '') => parseJob(JOB.replace(from, to), 'job.yaml', {});

function published(runId: string, table: string, { job = 'churn', report = true } = {}): LedgerEntry {
  return {
    ...{ recordedAt: '1997-03-17T08:00:00.000Z', runId, job, state: 'published', publication: 1, fingerprint: 'f', host: 'a' },
    window: { label: '1997-W11', start: '1997-03-10T00:00:00.000Z', end: '1997-03-17T00:00:00.000Z', kind: 'week' },
    model: { name: 'm', version: '1', digest: 'd' },
    details: {
      table: ['marketing', table],
      columns: [{ name: 'user_id', type: 'integer' }],
      also_wrote: report ? ['report'] : [],
    },
  };
}

function found(part: FoundRows['part'], runId: string, replaced = false): FoundRows {
  const row = { windowStart: '1997-03-10T00:00:00.000Z', windowEnd: undefined, runId, publication: undefined };
  return {
    ...{ part, job: 'churn', replaced, name: ['marketing', part], layout: { name: ['marketing', part], columns: [] } },
    rows: [{ ...row, rank: 1, score: 1, band: undefined, kept: {} }],
  };
}

const CHALLENGER = published('b.challenger', 'scores_challenger', { job: 'churn.challenger', report: false });

it('is silent where all tables have been searched', () => {
  const entries = [published('a', 'scores'), published('b', 'scores', { report: false }), CHALLENGER];
  const both = [found('scores', 'a'), found('report', 'a'), found('scores', 'b')];
  expect(unsearchedTables(definition(), entries, both)).toEqual([]);
});

it('names a table that the job published to under another name', () => {
  expect(unsearchedTables(definition(), [published('a', 'old'), published('b', 'scores')], [])).toEqual([
    'marketing.old was not searched: the job used to publish to it, but no longer names it',
  ]);
});

it('names the tables of challengers and the report as long as nothing is in the new scores table', () => {
  const entries = [published('a', 'scores'), CHALLENGER];
  expect(unsearchedTables(definition('marketing.scores', 'marketing.new'), entries, [])).toEqual([
    'marketing.scores was not searched: the job used to publish to it, but no longer names it',
    'marketing.scores_challenger was not searched: nothing is published to marketing.new yet',
    'marketing.report was not searched: nothing is published to marketing.new yet',
  ]);
});

it('tells of a report that had another table, from who is in the scores and not in the report', () => {
  const entries = [published('a', 'scores'), published('b', 'scores')];
  const rows = [found('scores', 'a'), found('scores', 'b', true), found('report', 'b', true), found('report', 'a', true)];
  expect(unsearchedTables(definition(), entries, rows)).toEqual([
    'the report table that run a of 1997-W11 wrote to was not searched: it is not marketing.report, which the job file names now',
  ]);
  expect(unsearchedTables(definition('report: { table: marketing.report }\n'), entries, rows.slice(1, 2))).toEqual([
    'the report table that run b of 1997-W11 wrote to was not searched: the job file no longer names one',
  ]);
});
