import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { RunEvent } from '../../src/lineage/facets.ts';
import { lineageRunId } from '../../src/lineage/run-id.ts';
import { query } from '../support/project.ts';
import { ownFacetErrors } from './official-schemas.ts';
import { CANARY, PARENT, SCENARIOS, type Told } from './scenarios.ts';

/** Runs a scenario. What holds for all events is checked here. */
async function tell(name: keyof typeof SCENARIOS): Promise<Told> {
  const told = await SCENARIOS[name]();
  expect(ownFacetErrors(told.events)).toEqual([]);
  expect(JSON.stringify(told.events)).not.toContain(CANARY);
  for (const { run, job, inputs } of told.events) {
    expect(run.runId).toBe(lineageRunId(job.name, runIdOf(run.facets)));
    expect(inputs.at(-1)?.facets.datasetType).toMatchObject({ datasetType: 'MODEL' });
  }
  return told;
}

function runIdOf(facets: RunEvent['run']['facets']): string {
  return String(facets.scoreBatch_run?.run_id);
}

const typesOf = ({ events }: Told) => events.map(({ eventType }) => eventType);
const runsOf = ({ events }: Told) => new Set(events.map(({ run }) => run.runId)).size;

function assertions({ inputs }: RunEvent): string[] {
  const facet = inputs.find(({ name }) => name.endsWith('.query'))?.inputFacets?.dataQualityAssertions;
  const list = (facet?.assertions ?? []) as { assertion: string; success: boolean; severity: string }[];
  return list.map(({ assertion, success, severity }) => `${assertion} ${success ? 'passed' : severity}`);
}

const rowsOf = ({ outputs }: RunEvent) =>
  Object.fromEntries(outputs.map(({ name, outputFacets }) => [path.basename(name), outputFacets?.outputStatistics?.rowCount]));

it('tells of a published week: where its rows came from, what was written, who started it; and nothing more once it is done', async () => {
  const told = await tell('published');
  expect(typesOf(told)).toEqual(['START', 'COMPLETE']);
  const [start, complete] = told.events as [RunEvent, RunEvent];
  expect(start.run.runId).toBe(complete.run.runId);
  expect(start.outputs).toEqual([]);
  expect(complete.job).toMatchObject({
    namespace: 'marketing',
    name: 'linear',
    facets: {
      sql: { dialect: 'duckdb', query: expect.stringContaining(':window_start_date') },
      jobType: { processingType: 'BATCH' },
    },
  });
  expect(complete.run.facets).toMatchObject({
    nominalTime: { nominalStartTime: '1997-03-10T05:00:00.000Z', nominalEndTime: '1997-03-17T05:00:00.000Z' },
    parent: {
      run: { runId: PARENT.runId },
      job: { name: PARENT.name },
      root: { job: { namespace: 'airflow', name: 'weekly' } },
    },
    scoreBatch_run: { state: 'published', publication: 1, rows: { frozen: 100, scored: 100, quarantined: 0 } },
  });
  const warehouse = `duckdb://${path.join(told.folder, 'data/warehouse.duckdb')}`;
  const reports = ['csv', 'parquet', 'html'].map((kind) => path.join(told.folder, `reports/linear-1997-W11.${kind}`));
  expect(complete.inputs.map(({ namespace, name }) => [namespace, name])).toEqual([
    [warehouse, 'warehouse.main.users'],
    ['marketing', 'linear.query'],
    ['file', path.join(told.folder, 'model/model.onnx')],
  ]);
  expect(complete.outputs.map(({ namespace, name }) => [namespace, name])).toEqual([
    ...['scores', 'scores_quarantine', 'report', 'summary'].map((table) => [warehouse, `warehouse.marketing.${table}`]),
    ...[...reports, path.join(told.folder, 'reports/index.html')].map((file) => ['file', file]),
  ]);
  expect(reports.every((file) => existsSync(file))).toBe(true);
  expect(assertions(complete)).toEqual(
    ['empty', 'never_seen', 'min_rows', 'all_quarantined', 'max_quarantine_rate'].map((gate) => `${gate} passed`),
  );
  const counted = await query(
    path.join(told.folder, 'data/warehouse.duckdb'),
    `select (select count(*)::int from marketing.scores) as "warehouse.marketing.scores",
       (select count(*)::int from marketing.report) as "warehouse.marketing.report"`,
  );
  expect(rowsOf(complete)).toMatchObject(counted[0] ?? {});
});

it('names for each column of the tables what it is made from, and only columns that the query has', async () => {
  const { events, folder } = await tell('published');
  const complete = events.at(-1) as RunEvent;
  const file = path.join(folder, 'data/warehouse.duckdb');
  const users = await query(file, "select column_name from duckdb_columns() where table_name = 'users'");
  const known = new Set(users.map(({ column_name: name }) => name));
  for (const { name, namespace, facets } of complete.outputs) {
    const fields = (facets.columnLineage?.fields ?? {}) as Record<string, { inputFields: Record<string, string>[] }>;
    const schema = (facets.schema?.fields ?? []) as { name: string }[];
    expect(Object.keys(fields).filter((column) => !schema.some((field) => field.name === column))).toEqual([]);
    for (const { inputFields } of Object.values(fields))
      for (const { namespace: from, name: table, field } of inputFields) {
        expect({ from, table }).toEqual({ from: `duckdb://${file}`, table: 'warehouse.main.users' });
        expect(known).toContain(field);
      }
    // The schema is that of the table as it is.
    if (namespace !== 'file') {
      const table = name.split('.').at(-1);
      const columns = await query(
        file,
        `select column_name from duckdb_columns() where schema_name = 'marketing' and table_name = '${table}'`,
      );
      expect(schema.map((field) => field.name)).toEqual(columns.map(({ column_name: column }) => column));
    }
  }
  const lineage = complete.outputs[0]?.facets.columnLineage?.fields as Record<
    string,
    { inputFields: Record<string, unknown>[] }
  >;
  const from = (column: string) => lineage[column]?.inputFields.map(({ field }) => field);
  expect(['user_id', 'country', 'propensity', 'rank', 'band', 'run_id'].map((column) => [column, from(column)])).toEqual([
    ['user_id', ['user_id']],
    ['country', ['country']],
    ['propensity', ['a', 'b']],
    ['rank', ['a', 'b', 'user_id']],
    ['band', ['a', 'b', 'user_id']],
    ['run_id', undefined],
  ]);
  expect(lineage.user_id?.inputFields[0]).toMatchObject({ transformations: [{ type: 'DIRECT', subtype: 'IDENTITY' }] });
});

it('says why a run was refused or failed, without values of rows', async () => {
  const refused = await tell('refused');
  expect(typesOf(refused)).toEqual(['START', 'FAIL']);
  expect(refused.events[1]?.run.facets.errorMessage?.message).toContain('gates.min_rows is 1,000');
  expect(assertions(refused.events[1] as RunEvent)[0]).toBe('min_rows error');
  expect(refused.events[1]?.outputs).toEqual([]);
  const failed = await tell('failed');
  expect(typesOf(failed)).toEqual(['START', 'FAIL']);
  expect(failed.events[1]?.run.facets.errorMessage?.message).toBe('DuckDB rejects jobs/query.sql');
  const unwritten = await tell('failedReport');
  expect(typesOf(unwritten)).toEqual(['START', 'FAIL']);
  expect(Object.keys(rowsOf(unwritten.events[1] as RunEvent))).toContain('warehouse.marketing.scores');
});

it('tells of windows without rows', async () => {
  const told = await tell('empty');
  expect(typesOf(told)).toEqual(['START', 'ABORT', 'START', 'COMPLETE']);
  expect(told.events[1]?.outputs).toEqual([]);
  expect(rowsOf(told.events[3] as RunEvent)).toMatchObject({
    'warehouse.marketing.scores': 0,
    'warehouse.marketing.report': 0,
  });
  expect(assertions(told.events[3] as RunEvent)).toEqual(['empty passed']);
});

it.each([
  ['killed', ['START', 'START', 'COMPLETE']],
  ['interrupted', ['START', 'ABORT', 'START', 'COMPLETE']],
] as const)('a run that was %s and is resumed has one UUID', async (name, types) => {
  const told = await tell(name);
  expect(typesOf(told)).toEqual(types);
  expect(runsOf(told)).toBe(1);
});

it('tells of the phases of a run, of one that is accepted, of a backfill, of slices and of events', async () => {
  const phases = await tell('phases');
  expect(typesOf(phases)).toEqual(['START', 'RUNNING', 'RUNNING', 'RUNNING', 'RUNNING', 'COMPLETE']);
  expect(runsOf(phases)).toBe(1);
  const accepted = await tell('accepted');
  expect(typesOf(accepted)).toEqual(['START', 'FAIL', 'RUNNING', 'COMPLETE']);
  expect(runsOf(accepted)).toBe(1);
  expect(assertions(accepted.events[3] as RunEvent)[0]).toBe('min_rows warn');
  const backfill = await tell('backfill');
  expect(typesOf(backfill)).toEqual(['START', 'COMPLETE', 'START', 'COMPLETE']);
  expect(runsOf(backfill)).toBe(2);
  const slices = await tell('slices');
  expect(typesOf(slices)).toEqual(['START', 'COMPLETE']);
  expect(slices.events[1]).toMatchObject({
    job: { name: 'linear.incremental' },
    run: { facets: { nominalTime: { nominalStartTime: '1997-03-10T21:30:00.000001Z' } } },
  });
  expect(slices.events[1]?.inputs[0]?.name).toBe('warehouse.main.users');
  const events = await tell('events');
  expect(events.events[1]?.inputs.map(({ name }) => name).slice(0, 3)).toEqual([
    'warehouse.main.payments',
    'warehouse.main.users',
    'payments.query',
  ]);
});
