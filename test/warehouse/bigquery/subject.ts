import { randomBytes } from 'node:crypto';
import { BigQuery } from '@google-cloud/bigquery';
import { PassThroughClient } from 'google-auth-library';
import { inject, onTestFinished, vi } from 'vitest';
import type { Column } from '../../../src/domain/schema.ts';
import type { TableName } from '../../../src/domain/table-name.ts';
import type { TableLayout, Tables } from '../../../src/domain/tables.ts';
import { BIGQUERY } from '../../../src/warehouse/bigquery/dialect.ts';
import { openBigquery } from '../../../src/warehouse/bigquery/open.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/project.ts';
import type { Kind, Subject } from '../conformance/subject.ts';

// The suite runs on the emulator. To run it on BigQuery itself:
//
//   SCORE_BATCH_TEST_BIGQUERY='bigquery://my-project/any_dataset?location=EU' SCORE_BATCH_TEST_WRITE=1 \
//     npx vitest run --project emulators test/warehouse/bigquery
//
// with Application Default Credentials. Every test makes one dataset score_batch_test_<random> in that location, whose tables
// expire after a day, holds everything it makes in it, and drops it at its end. Without SCORE_BATCH_TEST_WRITE=1 nothing is
// made, and only the cases of test/warehouse/bigquery/read-only.test.ts run there.

const DAY_MS = 86_400_000;

/** BigQuery itself, where the environment says so. */
export const REAL = process.env.SCORE_BATCH_TEST_BIGQUERY;
/** Whether tables may be made there. */
export const MAY_WRITE = process.env.SCORE_BATCH_TEST_WRITE === '1';

/** Where the tests' warehouse is; undefined where there is none. */
export function environment(): NodeJS.ProcessEnv | undefined {
  if (REAL !== undefined) return process.env;
  const emulator = inject('bigquery');
  return emulator && { BIGQUERY_EMULATOR_HOST: emulator.rest, BIGQUERY_STORAGE_EMULATOR_HOST: emulator.grpc };
}

/** A dataset of its own for one test: on the emulator in a project of its own, too. */
export async function makeSubject(): Promise<Subject> {
  const found = environment();
  if (found === undefined) throw new Error('there is no BigQuery to test against');
  // Work folders of runs that no case discards go with the test.
  vi.stubEnv('TMPDIR', await temporaryFolder());
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const random = randomBytes(6).toString('hex');
  const url = new URL(REAL ?? `bigquery://conformance-${random}/home?location=EU`);
  const project = url.hostname;
  const dataset = `score_batch_test_${random}`;
  const location = url.searchParams.get('location') ?? 'US';
  const client = clientOf(project, found);
  await client.createDataset(dataset, { location, defaultTableExpirationMs: String(DAY_MS) });
  onTestFinished(async () => {
    await client.dataset(dataset).delete({ force: true });
  });
  const execute = async (sql: string) => {
    const [job] = await client.createQueryJob({ query: sql, defaultDataset: { datasetId: dataset }, location });
    const [rows] = await job.getQueryResults();
    return rows as Record<string, unknown>[];
  };
  return {
    open: ({ job = 'job', signal = new AbortController().signal } = {}) => {
      const warehouse = openBigquery({
        url: `bigquery://${project}/${dataset}?location=${location}`,
        job,
        root: '/',
        scratch: dataset,
        memory: 1e9,
        maxBytes: undefined,
        environment: found,
        warn: () => undefined,
        signal,
      });
      return REAL === undefined ? warehouse : within(warehouse, dataset);
    },
    execute: async (sql) => {
      await execute(sql);
    },
    rows: async (sql) => (await execute(sql)).map(plain),
    table: (name) => BIGQUERY.table(REAL === undefined ? name : placed(name, dataset)),
    quote: BIGQUERY.identifier,
    literal: BIGQUERY.literal,
    alterFrozen: async (how) => {
      const table = `${dataset}.score_batch_frozen_run`;
      await execute(
        how === 'another value'
          ? `update ${table} set a = a + 1 where user_id = 0`
          : `insert into ${table} select * from ${table} where user_id = 0`,
      );
    },
    alterStaged: async () => {
      const table = `${dataset}.score_batch_staged_run`;
      await execute(`insert into ${table} select * from ${table} where key_0 = 0`);
    },
    // A column's name may hold more than these, but not ! " $ ( ) * , . / ; ? @ [ \ ] ^ ` { } ~
    odd: { table: 'odd-scores', column: `it's a = column` },
    integerType: 'INT64',
    stringType: 'STRING',
    range: (n) => `unnest(generate_array(0, ${n - 1})) as i`,
    kinds: KINDS,
  };
}

/** A new project of the emulator with a dataset. @returns its URL */
export async function makeProject(): Promise<string> {
  const project = `read-only-${randomBytes(6).toString('hex')}`;
  await clientOf(project, environment() ?? {}).createDataset('home', { location: 'EU' });
  return `bigquery://${project}/home?location=EU`;
}

/** The cases name tables of a dataset `marketing`, which may be somebody's: they are put into the test's own. */
function placed(name: TableName, dataset: string): TableName {
  return [dataset, name.at(-1) ?? ''];
}

function within(warehouse: Warehouse, dataset: string): Warehouse {
  const { sink } = warehouse;
  const place = <T extends TableLayout | undefined>(layout: T): T =>
    layout && { ...layout, name: placed(layout.name, dataset) };
  const placeAll = (tables: Tables): Tables => ({
    scores: place(tables.scores),
    quarantine: place(tables.quarantine),
    ledger: place(tables.ledger),
    report: place(tables.report),
    summary: place(tables.summary),
    drift: place(tables.drift),
  });
  return {
    ...warehouse,
    ledger: (layout) => warehouse.ledger(place(layout)),
    sink: {
      ...sink,
      differences: (tables) => sink.differences(placeAll(tables)),
      publish: (spec) => sink.publish({ ...spec, tables: placeAll(spec.tables) }),
      published: (spec) => sink.published({ ...spec, table: place(spec.table) }),
    },
  };
}

function clientOf(project: string, { BIGQUERY_EMULATOR_HOST: emulator }: NodeJS.ProcessEnv): BigQuery {
  if (emulator === undefined) return new BigQuery({ projectId: project });
  return new BigQuery({ projectId: project, apiEndpoint: emulator, authClient: new PassThroughClient() });
}

/** Counts as text, as other warehouses' clients give them. */
function plain(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'number' ? String(value) : value]),
  );
}

export const KINDS: readonly Kind[] = [
  kind(
    'big',
    'integer',
    'INT64',
    ['9007199254740993', '-9223372036854775807 - 1'],
    ['9007199254740993', '-9223372036854775808'],
  ),
  kind(
    'price',
    'decimal',
    'NUMERIC',
    [`numeric '12345678901234567890.123456789'`, `numeric '-0.000000001'`],
    ['12345678901234567890.123456789', '-0.000000001'],
    [38, 9],
  ),
  kind('ratio', 'float', 'FLOAT64', ['cast(0.1 as float64)', 'cast(1e300 as float64)'], ['0.1', '1e+300']),
  kind('flag', 'bool', 'BOOL', ['true', 'false'], ['true', 'false']),
  kind('text', 'string', 'STRING', [`'ü 漢 \u{1F600} e\u0301'`, `''`], ['ü 漢 \u{1F600} e\u0301', '']),
  kind('day', 'date', 'DATE', [`date '2024-02-29'`, `date '1583-01-01'`], ['2024-02-29', '1583-01-01']),
  kind(
    'wall_clock',
    'datetime',
    'DATETIME',
    [`datetime '2026-11-01 01:30:00.123456'`, `datetime '1969-12-31 23:59:59'`],
    ['2026-11-01 01:30:00.123456', '1969-12-31 23:59:59'],
  ),
  kind(
    'instant',
    'timestamp',
    'TIMESTAMP',
    [`timestamp '2026-11-01 01:30:00.123456-05'`, `timestamp '1970-01-01 00:00:00+01'`],
    ['2026-11-01 06:30:00.123456+00', '1969-12-31 23:00:00+00'],
  ),
];

function kind(
  name: string,
  type: Column['type'],
  native: string,
  expressions: Kind['expressions'],
  values: Kind['values'],
  digits?: Column['digits'],
): Kind {
  return { column: { name, type, native, ...(digits && { digits }) }, expressions, values };
}
