import { expect, it } from 'vitest';
import { fileDataset, tableNaming } from '../../src/lineage/datasets.ts';

it.each([
  ['bigquery://my-project/marketing?location=EU', ['scores'], 'bigquery', 'my-project.marketing.scores'],
  ['bigquery://my-project/marketing', ['other', 'scores'], 'bigquery', 'my-project.other.scores'],
  ['bigquery://my-project/marketing', ['their-project', 'other', 'scores'], 'bigquery', 'their-project.other.scores'],
  ['snowflake://MyOrg-Account1/analytics/public?role=R', ['scores'], 'snowflake://myorg-account1', 'ANALYTICS.PUBLIC.SCORES'],
  [
    'snowflake://myorg-account1/analytics/public',
    ['odd schema', 'Scores'],
    'snowflake://myorg-account1',
    'ANALYTICS.odd schema.SCORES',
  ],
  ['snowflake://myorg-account1/analytics/public', ['d', 's', 't'], 'snowflake://myorg-account1', 'D.S.T'],
  ['snowflake://xy12345.eu-central-1/analytics/public', ['t'], 'snowflake://xy12345.eu-central-1.aws', 'ANALYTICS.PUBLIC.T'],
  ['snowflake://xy12345.west-europe.azure/a/p', ['t'], 'snowflake://xy12345.west-europe.azure', 'A.P.T'],
  ['snowflake://xy12345/a/p', ['t'], 'snowflake://xy12345.us-west-1.aws', 'A.P.T'],
  ['snowflake://my-locator.eu-central-1.snowflakecomputing.com/a/p', ['t'], 'snowflake://my-locator.eu-central-1.aws', 'A.P.T'],
  [
    'duckdb:data/warehouse.duckdb',
    ['marketing', 'scores'],
    'duckdb:///project/data/warehouse.duckdb',
    'warehouse.marketing.scores',
  ],
  ['duckdb:data/warehouse.duckdb', ['users'], 'duckdb:///project/data/warehouse.duckdb', 'warehouse.main.users'],
  ['duckdb:data/warehouse.duckdb', ['warehouse', 'users'], 'duckdb:///project/data/warehouse.duckdb', 'warehouse.main.users'],
  ['duckdb:///data/w.db', ['c', 's', 't'], 'duckdb:///data/w.db', 'c.s.t'],
])('%s: %s', (url, table, namespace, name) => {
  expect(tableNaming(url, '/project')(table)).toEqual({ namespace, name });
});

it.each([
  ['/project/reports/churn-2026-W47.csv', 'file', '/project/reports/churn-2026-W47.csv'],
  ['gs://bucket/a/churn.csv', 'gs://bucket', 'a/churn.csv'],
  ['s3://bucket/churn.csv', 's3://bucket', 'churn.csv'],
])('%s', (file, namespace, name) => {
  expect(fileDataset(file)).toEqual({ namespace, name });
});
