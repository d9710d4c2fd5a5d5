import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { historyQuery } from '../../src/feast/history/query.ts';
import { parseRegistry } from '../../src/feast/history/registry.ts';
import { viewsOf } from '../../src/feast/history/service.ts';
import { temporaryFolder } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';

// feast.feast.test.ts compares the query for DuckDB with Feast's own answer; these are the dialects that no test runs.

const features = [
  { name: 'plan', valueType: 'STRING' },
  { name: 'logins', valueType: 'INT64' },
];

/** What `feast registry-dump` prints, as far as it is read. */
function dump(source: object, view: object = {}): string {
  return JSON.stringify({
    project: 'shop',
    entities: [{ spec: { name: 'user', joinKey: 'user_id', valueType: 'STRING' } }],
    featureViews: [
      {
        spec: {
          name: 'profile',
          entities: ['user'],
          features,
          ttl: '2592000s',
          batchSource: {
            timestampField: 'at',
            createdTimestampColumn: 'loaded',
            fieldMapping: { n: 'logins', user: 'user_id' },
            ...source,
          },
          ...view,
        },
      },
    ],
    onDemandFeatureViews: [{ spec: { name: 'computed' } }],
    featureServices: [
      { spec: { name: 'v1', features: [{ featureViewName: 'profile', featureColumns: features }] } },
      { spec: { name: 'computed_v1', features: [{ featureViewName: 'computed', featureColumns: features }] } },
    ],
  });
}

const BIGQUERY = { type: 'BATCH_BIGQUERY', bigqueryOptions: { table: 'lake.shop.profiles' } };
const SNOWFLAKE = { type: 'BATCH_SNOWFLAKE', snowflakeOptions: { database: 'LAKE', schema: 'SHOP', table: 'profiles' } };

function written(source: object, kind: 'duckdb' | 'bigquery' | 'snowflake', view: object = {}): string {
  const { service, views } = viewsOf(parseRegistry(dump(source, view), 'dump.json'), 'v1');
  return historyQuery({ service, views, kind, table: 'rows_to_score', file: (uri) => uri });
}

it('writes the query of BigQuery', () => {
  expect(written(BIGQUERY, 'bigquery')).toMatchInlineSnapshot(`
    "-- The features of v1, a feature service of Feast, as Feast's get_historical_features computes them.
    -- rows_to_score has the rows to score: the join keys, and as of when their features are known (event_timestamp).
    with entities as (
      select distinct user_id, event_timestamp
      from rows_to_score
      where event_timestamp >= :window_start and event_timestamp < :window_end
    ),
    -- profile
    view_1 as (
      select entities.user_id, entities.event_timestamp, source.\`plan\` as plan, source.\`n\` as logins
      from (select distinct user_id, event_timestamp from entities) as entities
      join \`lake\`.\`shop\`.\`profiles\` as source on source.\`user\` = entities.user_id
        and source.\`at\` <= entities.event_timestamp
        and source.\`at\` >= timestamp_sub(entities.event_timestamp, interval 2592000 second)
      where true
      qualify row_number() over (partition by entities.user_id, entities.event_timestamp order by source.\`at\` desc, source.\`loaded\` desc nulls last) = 1
    )
    select
      entities.user_id,
      entities.event_timestamp,
      view_1.plan,
      view_1.logins
    from entities
    left join view_1 on view_1.user_id = entities.user_id and view_1.event_timestamp = entities.event_timestamp
    "
  `);
});

it('writes the query of Snowflake, whose names keep their case in quotes', () => {
  expect(written(SNOWFLAKE, 'snowflake')).toMatchInlineSnapshot(`
    "-- The features of v1, a feature service of Feast, as Feast's get_historical_features computes them.
    -- rows_to_score has the rows to score: the join keys, and as of when their features are known (event_timestamp).
    with entities as (
      select distinct "user_id", event_timestamp
      from rows_to_score
      where event_timestamp >= :window_start and event_timestamp < :window_end
    ),
    -- profile
    view_1 as (
      select entities."user_id", entities.event_timestamp, source."plan" as "plan", source."n" as "logins"
      from (select distinct "user_id", event_timestamp from entities) as entities
      join "LAKE"."SHOP"."profiles" as source on source."user" = entities."user_id"
        and source."at" <= entities.event_timestamp
        and source."at" >= timestampadd(second, -2592000, entities.event_timestamp)
      where true
      qualify row_number() over (partition by entities."user_id", entities.event_timestamp order by source."at" desc, source."loaded" desc nulls last) = 1
    )
    select
      entities."user_id",
      entities.event_timestamp,
      view_1."plan",
      view_1."logins"
    from entities
    left join view_1 on view_1."user_id" = entities."user_id" and view_1.event_timestamp = entities.event_timestamp
    "
  `);
});

it('takes a query of a source as it is, parts of seconds, and no TTL at all', () => {
  const source = { bigqueryOptions: { query: 'select * from x' } };
  expect(written(source, 'bigquery', { ttl: '0.5s' })).toContain('interval 500000 microsecond');
  const file = { fileOptions: { uri: 'profile.parquet' } };
  expect(written(file, 'duckdb', { ttl: '2592000.5s' })).toContain('to_microseconds(2592000500000)');
  const forever = written(source, 'bigquery', { ttl: '0s' });
  expect(forever).toContain('join (select * from x) as source');
  expect(forever).not.toContain('interval');
  expect(written({ fileOptions: { uri: "it's.parquet" } }, 'duckdb')).toContain("read_parquet('it''s.parquet')");
});

it('refuses what SQL of the warehouse cannot do, and names the view', () => {
  const registry = parseRegistry(dump(BIGQUERY), 'dump.json');
  expect(() => viewsOf(registry, undefined)).toThrow('the repo has 2 feature services');
  expect(() => viewsOf(registry, 'v2')).toThrow('the repo has no feature service v2');
  expect(() => viewsOf(registry, 'computed_v1')).toThrow('computed is an on-demand view, which Python computes');
  expect(() => written(BIGQUERY, 'duckdb')).toThrow('the rows of profile are in bigquery, but the warehouse is duckdb');
  expect(() => written({ type: 'BATCH_REDSHIFT', redshiftOptions: {} }, 'duckdb')).toThrow(
    'the rows of profile are in BATCH_REDSHIFT',
  );
  expect(() => written({ fileOptions: { uri: 'x', fileFormat: { deltaFormat: {} } } }, 'duckdb')).toThrow(
    'the rows of profile are in',
  );
  for (const text of ['<html>', '[]', '{}', 'null']) expect(() => parseRegistry(text, 'x')).toThrow('registry-dump');
});

it('init needs Feast for a repo, and none for a dump of its registry; it refuses flags that do not go together', async () => {
  const folder = await temporaryFolder();
  const init = (...args: string[]) => scoreBatch(folder, ['init', 'churn', ...args], { PATH: folder, WAREHOUSE_URL: '' });
  await mkdir(path.join(folder, 'repo'));
  expect(await init('--feast', 'repo')).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('the command feast is not installed on this machine'),
  });
  expect(await init('--feast', 'nowhere')).toMatchObject({ code: 78, stderr: expect.stringContaining('does not exist') });
  expect(await init('--service', 'v1')).toMatchObject({ code: 64, stderr: expect.stringContaining('--service needs --feast') });
  await writeFile(
    path.join(folder, 'repo', 'registry.json'),
    `warned\n${dump({ fileOptions: { uri: 'data/profiles.parquet' } })}`,
  );
  const made = await init('--feast', 'repo/registry.json', '--service', 'v1', '--json');
  expect({ code: made.code, ...JSON.parse(made.stdout) }).toMatchObject({
    code: 0,
    open: ['name the table of the rows to score, with event_timestamp, in the query (--table)'],
  });
});
