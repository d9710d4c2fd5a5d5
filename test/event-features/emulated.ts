import fc from 'fast-check';
import { expect } from 'vitest';
import type { EventFeatures, FieldType, FieldValue } from '../../src/event-features/definition.ts';
import { eventSql } from '../../src/event-features/sql/event-sql.ts';
import { bindWindow } from '../../src/job/parameters.ts';
import { windowOf } from '../../src/window/window.ts';
import type { OpenSubject } from '../warehouse/conformance/subject.ts';
import { acceptedRows, everyFeature, expectedRows, rowsOf, rowText, smallLogs, T } from './logs.ts';

interface Kind {
  readonly kind: 'bigquery' | 'snowflake';
  readonly types: Readonly<Record<FieldType, string>>;
  /** An instant of the dialect, given in ISO 8601. */
  readonly instant: (iso: string) => string;
  /** How columns are written that nobody quoted. */
  readonly cased?: (name: string) => string;
}

const ROWS_PER_STATEMENT = 250;

/** 1,000 events in a table of the warehouse, and the SQL of the features over them: the rows that the rules say. */
export async function agreesOnEvents(subject: OpenSubject, kind: Kind) {
  const [log = new Map()] = fc.sample(smallLogs(9, { minLength: 500, maxLength: 500 }), { numRuns: 1, seed: 18 });
  const spans = { lateness: 6, skew: 4, window: 9 };
  const arrival = everyFeature({ ...spans, asOf: 'arrival' });
  const event = everyFeature({ ...spans, asOf: 'event' });
  const plain = everyFeature({ ...spans, asOf: 'event', logged: false });
  await fill(subject, kind, { table: 'events', features: event, rows: rowsOf(log) });
  await fill(subject, kind, { table: 'accepted_events', features: plain, rows: acceptedRows(event, log) });
  const span = [T + 300, T + 3_000] as const;
  const expected = expectedRows(event, log, span);
  expect(expected.length).toBeGreaterThan(200);
  expect(await read(subject, kind, 'events', event, span)).toEqual(expected);
  expect(await read(subject, kind, 'accepted_events', plain, span)).toEqual(expected);
  expect(await read(subject, kind, 'events', arrival, span)).toEqual(expectedRows(arrival, log, span));
}

interface Filling {
  readonly table: string;
  readonly features: EventFeatures;
  readonly rows: readonly (readonly FieldValue[])[];
}

async function fill(subject: OpenSubject, { types, cased = (name) => name }: Kind, { table, features, rows }: Filling) {
  const columns = [...features.fields, ...Object.values(features.log ?? {}).map((name) => ({ name, type: 'int64' as const }))];
  const definitions = columns.map(({ name, type }) => `${subject.quote(cased(name))} ${types[type]}`);
  await subject.execute(`create table ${table} (${definitions.join(', ')})`);
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT) {
    const part = rows.slice(from, from + ROWS_PER_STATEMENT);
    const texts = part.map((row) => `(${row.map((value) => literal(subject, value)).join(', ')})`);
    await subject.execute(`insert into ${table} values ${texts.join(', ')}`);
  }
}

async function read(
  subject: OpenSubject,
  { kind, instant }: Kind,
  table: string,
  features: EventFeatures,
  span: readonly [number, number],
): Promise<string[]> {
  const sql = eventSql(features, { table: [table], kind });
  const names = [...features.fields, ...features.features].map(({ name }) => name);
  const described = await subject.warehouse.source.describe(bindWindow(sql, windowOf(...span, 'UTC'), 'test', kind));
  expect(described.map(({ name }) => name.toLowerCase())).toEqual(names);
  const [start = '', end = ''] = span.map((at) => instant(new Date(at).toISOString()));
  const rows = await subject.rows(sql.replaceAll(':window_start', start).replaceAll(':window_end', end));
  return rows.map((row) => rowText(names.map((name) => row[name]))).sort();
}

function literal(subject: OpenSubject, value: FieldValue): string {
  if (typeof value === 'string') return subject.literal(value);
  return String(value);
}
