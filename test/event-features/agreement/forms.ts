import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Database } from '../../../src/duckdb/database.ts';
import { literal, identifier as quoted } from '../../../src/duckdb/sql.ts';
import type { EventFeatures, FieldValue } from '../../../src/event-features/definition.ts';
import { eventSql } from '../../../src/event-features/sql/event-sql.ts';
import type { FeatureValue } from '../../../src/stream/event.ts';
import { createPartitionWindow } from '../../../src/stream/window/window.ts';
import { columnList, DUCKDB_TYPES, resultColumns } from './compare.ts';
import type { LoggedEvent } from './generate.ts';
import { plainSql } from './plain-sql.ts';

/** Events between two looks at what is due. */
const BATCH = 100;

/** A row per record: place, verdict, and the features of accepted ones. */
export const PLAIN = 'plain';

/** The log as a table `log`, with the columns of the warehouse, and by rules that are written a second time as a table `plain`. */
export async function loadLog(database: Database, features: EventFeatures, log: readonly LoggedEvent[], folder: string) {
  const names = features.fields.map(({ name }) => name);
  const { partition = '', offset = '', timestamp = '' } = features.log ?? {};
  const file = path.join(folder, 'log.json');
  await writeLines(file, log, (event) => ({
    ...toObject(names, event.values),
    [partition]: event.partition,
    [offset]: event.offset,
    [timestamp]: event.timestamp,
  }));
  const fields = features.fields.map(({ name, type }) => [name, DUCKDB_TYPES[type]]);
  const columns = { ...Object.fromEntries(fields), [partition]: 'BIGINT', [offset]: 'BIGINT', [timestamp]: 'BIGINT' };
  await database.run(`CREATE TABLE log AS ${reading(file, columns)}`);
}

export async function plainForm(database: Database, features: EventFeatures): Promise<void> {
  await database.run(`CREATE TABLE ${PLAIN} AS ${plainSql(features)}`);
}

/** The compiled SQL of DuckDB. */
export async function duckdbForm(database: Database, features: EventFeatures, table: string): Promise<void> {
  const sql = eventSql(features, { table: ['log'], kind: 'duckdb' })
    .replaceAll(':window_start', "TIMESTAMP '1990-01-01'")
    .replaceAll(':window_end', "TIMESTAMP '2100-01-01'");
  await placedForm(database, features, { rows: sql, table });
}

/** Rows of compiled SQL have no place: the accepted event with their id and time has. */
async function placedForm(
  database: Database,
  features: EventFeatures,
  { rows, table }: { readonly rows: string; readonly table: string },
): Promise<void> {
  const { id, time, log } = features;
  const place = [log?.partition ?? '', log?.offset ?? ''].map(quoted).join(', ');
  const same = [id, time].map(quoted).join(', ');
  const places = `SELECT ${place}, ${same} FROM log JOIN ${PLAIN} USING (${place}) WHERE verdict = 'accepted'`;
  const names = Object.keys(resultColumns(features)).map(quoted).join(', ');
  await database.run(`CREATE TABLE ${table} AS SELECT ${names} FROM (${rows}) LEFT JOIN (${places}) USING (${same})`);
}

/** What a warehouse gave, a value as whatever its client makes of it. */
export async function warehouseForm(
  { database, features, folder }: { readonly database: Database; readonly features: EventFeatures; readonly folder: string },
  rows: readonly Readonly<Record<string, unknown>>[],
  table: string,
): Promise<void> {
  const { id, time, fields } = features;
  const [, , ...values] = Object.entries(resultColumns(features));
  const same = [id, time].map(
    (name) => [name, DUCKDB_TYPES[fields.find((field) => field.name === name)?.type ?? 'string']] as const,
  );
  const columns = Object.fromEntries([...same, ...values]);
  const file = path.join(folder, `${table}.json`);
  const text = (value: unknown): string | null => (value === null || value === undefined ? null : String(value));
  await writeLines(file, rows, (row) => Object.fromEntries(Object.keys(columns).map((name) => [name, text(row[name])])));
  await placedForm(database, features, { rows: reading(file, columns), table });
}

/** What the embedded windows make of the log, a window per partition; verdicts in the table `TABLE_verdicts`. */
export async function embeddedForm(
  {
    database,
    features,
    log,
    folder,
  }: { database: Database; features: EventFeatures; log: readonly LoggedEvent[]; folder: string },
  table: string,
): Promise<void> {
  const columns = resultColumns(features);
  const place = Object.keys(columns).slice(0, 2);
  const [results, verdicts] = ['features', 'verdicts'].map((name) => path.join(folder, `${table}-${name}.json`));
  const found: string[] = [];
  const windows = new Map(
    [...new Set(log.map(({ partition }) => partition))].map((partition) => [
      partition,
      createPartitionWindow(features, { eventsPerKey: 1_000_000 }),
    ]),
  );
  const take = function* (idle: boolean): Generator<string> {
    for (const [partition, window] of windows)
      for (const { event, features: values, capped } of window.takeDue(idle)) {
        if (values === undefined || capped) throw new Error('outside the agreement');
        yield toLine(Object.keys(columns), [partition, event.offset, ...values]);
      }
  };
  const due = function* (): Generator<string> {
    for (const [index, event] of log.entries()) {
      const verdict = windows.get(event.partition)?.add(event) ?? 'late';
      found.push(toLine([...place, 'verdict'], [event.partition, event.offset, verdict]));
      if (index % BATCH === 0) yield* take(false);
    }
    yield* take(true);
  };
  await pipeline(Readable.from(due()), createWriteStream(results ?? ''));
  await pipeline(Readable.from(found), createWriteStream(verdicts ?? ''));
  await database.run(`CREATE TABLE ${table} AS ${reading(results ?? '', columns)}`);
  const placed = { ...Object.fromEntries(place.map((name) => [name, 'BIGINT'])), verdict: 'VARCHAR' };
  await database.run(`CREATE TABLE ${table}_verdicts AS ${reading(verdicts ?? '', placed)}`);
}

/** What Flink wrote: features into `TABLE`, and for what is in no window the reason into `TABLE_rejected`. */
export async function flinkForm(database: Database, features: EventFeatures, output: string, table: string): Promise<void> {
  const columns = resultColumns(features);
  await database.run(`CREATE TABLE ${table} AS ${reading(path.join(output, 'features/*'), columns)}`);
  const [partition = '', offset = ''] = Object.keys(columns);
  const rejected = { [partition]: 'BIGINT', [offset]: 'BIGINT', reason: 'VARCHAR' };
  await database.run(`CREATE TABLE ${table}_rejected AS ${reading(path.join(output, 'rejected/*'), rejected)}`);
}

function reading(files: string, columns: Readonly<Record<string, string>>): string {
  return `SELECT * FROM read_json(${literal(files)}, columns = ${columnList(columns)}, format = 'newline_delimited')`;
}

async function writeLines<T>(file: string, rows: readonly T[], toRecord: (row: T) => object): Promise<void> {
  await pipeline(Readable.from(lines()), createWriteStream(file));
  function* lines(): Generator<string> {
    for (const row of rows) yield `${JSON.stringify(toRecord(row))}\n`;
  }
}

function toObject(names: readonly string[], values: readonly FieldValue[]): Record<string, FieldValue | undefined> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}

function toLine(names: readonly string[], values: readonly FeatureValue[]): string {
  const parts = names.map((name, i) => {
    const value = values[i] ?? null;
    return `${JSON.stringify(name)}:${typeof value === 'bigint' ? value : JSON.stringify(value)}`;
  });
  return `{${parts.join(',')}}\n`;
}
