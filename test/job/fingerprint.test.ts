import { expect, it } from 'vitest';
import type { Schema } from '../../src/domain/schema.ts';
import { fingerprintOf } from '../../src/job/fingerprint.ts';
import { bindWindow } from '../../src/job/parameters.ts';
import { parseJob } from '../../src/job/parse.ts';
import { loadBundle } from '../../src/model/bundle.ts';
import { weekWindow } from '../../src/window/window.ts';
import { repository } from '../support/project.ts';

const JOB = `name: churn
model: model
time_zone: Europe/Berlin
source: { warehouse: "duckdb:w.duckdb", query: select 1, key: [id] }
sink: { table: marketing.scores }
features: { a: x, b: y }
`;
const SQL = 'select * from users where at >= :window_start';
const bundle = await loadBundle(repository('test', 'fixtures', 'models', 'linear'));

const COLUMNS: Schema = [{ name: 'id', type: 'integer', native: 'INTEGER' }];

function fingerprint({
  job = JOB,
  sql = SQL,
  monday = '2026-11-16',
  model = bundle,
  columns = COLUMNS,
  hashKey = '',
  source = 'duckdb 1 2',
  asOf = undefined as { run_id: string; frozen: string } | undefined,
} = {}): string {
  const query = bindWindow(sql, weekWindow(monday, 'Europe/Berlin'), 'source.query', 'duckdb');
  const definition = parseJob(job, 'job.yaml', {});
  return fingerprintOf({ query, source, columns, definition, bundle: model, hashKey, asOf });
}

it.each([
  ['nothing', {}],
  ['the order of keys', { job: JOB.replace('{ a: x, b: y }', '{ b: y, a: x }') }],
  ['a default that is written out', { job: `${JOB}gates: { min_rows: 1 }\n` }],
  ['the providers that are the default', { job: `${JOB}score: { providers: [cuda, cpu] }\n` }],
  ['devices', { job: `${JOB}score: { providers: [{ name: cuda, devices: [1, 2] }, cpu] }\n` }],
  ['the number of workers', { job: `${JOB}score: { workers: 7 }\n` }],
  ['path to the same database', { job: JOB.replace('duckdb:w.duckdb', 'duckdb:/somewhere/w.duckdb') }],
  ['way to read a chunk', { job: JOB.replace('"duckdb:w.duckdb", ', '"snowflake://a/d/s", unload: true, ') }],
  ['the memory', { job: `${JOB}score: { max_memory: 512MiB }\n` }],
])('stays the same with another %s', (_, change) => {
  expect(fingerprint(change)).toBe(fingerprint());
});

it.each([
  ['database behind the same words', { source: 'duckdb 1 3' }],
  ['window', { monday: '2026-11-23' }],
  ['query', { sql: `${SQL} and country = 'DE'` }],
  ['gate', { job: `${JOB}gates: { min_rows: 2 }\n` }],
  ['type of a column', { columns: [{ name: 'id', type: 'string', native: 'VARCHAR' }] as const }],
  ['provider', { job: `${JOB}score: { providers: [cpu] }\n` }],
  ['chunk size', { job: `${JOB}score: { chunk_rows: 7 }\n` }],
  ['rename', { job: JOB.replace('a: x', 'a: z') }],
  ['model', { model: { ...bundle, digest: '0'.repeat(64) } }],
  ['key of hashes', { hashKey: 'secret' }],
  ['rows of then', { asOf: { run_id: 'first', frozen: 'f' } }],
  ['rule of the model', { model: { ...bundle, definitionDigest: '0'.repeat(64) } }],
])('differs with another %s', (_, change) => {
  expect(fingerprint(change)).not.toBe(fingerprint());
});
