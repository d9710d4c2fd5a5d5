import { type Column, findColumn } from '../../src/domain/schema.ts';
import { tablesOf } from '../../src/domain/tables.ts';
import { bindWindow } from '../../src/job/parameters.ts';
import { parseJob } from '../../src/job/parse.ts';
import { loadBundle } from '../../src/model/bundle.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { tableNames } from '../../src/plan/warehouses.ts';
import { openStores } from '../../src/store/open.ts';
import { NO_LIVE } from '../../src/terminal/live.ts';
import { weekWindow } from '../../src/window/window.ts';
import { repository } from '../support/project.ts';
import type { MemoryProcess } from './memory-process.ts';
import { memoryWarehouse } from './memory-warehouse.ts';
import type { World } from './world.ts';

const QUERY = 'select key, value from rows where at >= :window_start and at < :window_end';
const JOB = `name: job
model: model
time_zone: Europe/Berlin
every: week
source: { warehouse: 'duckdb:memory', query: '${QUERY}', key: [key] }
score: { column: score, bands: { high: top 10% }, chunk_rows: 3 }
sink: { table: scores }
report: { csv: 'report-{window}.csv' }
gates: { min_rows: 2, max_quarantine_rate: 50% }
`;
const COLUMNS: readonly Column[] = [
  { name: 'key', type: 'string', native: 'VARCHAR' },
  { name: 'value', type: 'integer', native: 'BIGINT' },
];
const WINDOW = weekWindow('2026-11-16', 'Europe/Berlin');
const definition = parseJob(JOB, 'job.yaml', {});
const bundle = await loadBundle(repository('test/fixtures/models/linear'));

/** Path of the window's report. */
export const REPORT = `/memory/report-${WINDOW.label}.csv`;

/**
 * The plan that `makePlan` would make of a small job over the world, for one process.
 *
 * @param model changes the fingerprint
 */
export function memoryPlan(world: World, process: MemoryProcess, model: string, workers: number): Plan {
  const warehouse = memoryWarehouse(world, process);
  const key = COLUMNS.filter(({ name }) => name === 'key');
  const tables = tablesOf(tableNames(definition), { key, keep: [], scoreColumn: definition.score.column });
  return {
    job: {
      file: '/memory/jobs/job.yaml',
      root: '/memory',
      definition,
      query: QUERY,
      queryName: 'source.query',
      kind: 'duckdb',
    },
    window: WINDOW,
    stages: NO_LIVE.stages(WINDOW.label),
    query: bindWindow(QUERY, WINDOW, 'source.query', 'duckdb'),
    bundle: { ...bundle, file: model },
    execution: { provider: 'cpu', devices: ['cpu'], gpu: false, onnxruntime: '1.30.0', skipped: [] },
    source: warehouse.source,
    sink: warehouse.sink,
    kinds: { source: warehouse.kind, sink: warehouse.kind },
    sourceAccess: { url: 'memory', job: 'job', root: '/memory', scratch: 'scratch', memory: 0, maxBytes: undefined },
    ledger: warehouse.ledger(tables.ledger),
    tables,
    identity: 'memory',
    key,
    keep: [],
    features: [findColumn(COLUMNS, 'value') as Column],
    needed: COLUMNS,
    fingerprint: model,
    basis: undefined,
    reported: true,
    drift: undefined,
    baseline: undefined,
    reportFiles: [{ kind: 'csv', path: REPORT }],
    reserved: [],
    stores: openStores({}, new AbortController().signal),
    force: false,
    entries: [],
    overlaps: [],
    last: undefined,
    modelChanged: undefined,
    requireGpu: false,
    tap: undefined,
    sizing: {
      bound: { bytes: 2 ** 40, from: 'machine' },
      memory: 2 ** 40,
      load: { workers, batchRows: 1, chunkRows: 3, rowBytes: 1, encodedBytes: 1, modelBytes: 1, cores: 2, local: true },
      chunking: { chunkRows: 3 },
      requestedWorkers: workers,
      cores: 256,
    },
    estimatedBytes: undefined,
  };
}
