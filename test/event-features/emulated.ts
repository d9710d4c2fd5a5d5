import fc from 'fast-check';
import { expect } from 'vitest';
import type { FieldType, FieldValue } from '../../src/event-features/definition.ts';
import { eventSql } from '../../src/event-features/sql/event-sql.ts';
import { bindWindow } from '../../src/job/parameters.ts';
import { windowOf } from '../../src/window/window.ts';
import type { OpenSubject } from '../warehouse/conformance/subject.ts';
import { everyFeature, expectedRows, rowsOf, rowText, smallLogs, T } from './logs.ts';

interface Kind {
  readonly kind: 'bigquery' | 'snowflake';
  readonly types: Readonly<Record<FieldType, string>>;
  /** An instant of the dialect, given in ISO 8601. */
  readonly instant: (iso: string) => string;
}

const ROWS_PER_STATEMENT = 500;

/** Some 2,000 events in a table of the warehouse, and the SQL of the features over them: the rows that the rules say. */
export async function agreesOnEvents(subject: OpenSubject, { kind, types, instant }: Kind, asOf: 'event' | 'arrival') {
  const [log = new Map()] = fc.sample(smallLogs(9, { minLength: 1000, maxLength: 1000 }), { numRuns: 1, seed: 18 });
  const features = everyFeature({ asOf, lateness: 6, skew: 4, window: 9 });
  const columns = [
    ...features.fields.map(({ name, type }) => `${name} ${types[type]}`),
    ...Object.values(features.log ?? {}).map((name) => `${name} ${types.int64}`),
  ];
  const table = ['events'];
  await subject.execute(`create table ${table.join('.')} (${columns.join(', ')})`);
  const rows = rowsOf(log);
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT) {
    const texts = rows
      .slice(from, from + ROWS_PER_STATEMENT)
      .map((row) => `(${row.map((one) => literal(subject, one)).join(', ')})`);
    await subject.execute(`insert into ${table.join('.')} values ${texts.join(', ')}`);
  }
  const span = [T + 500, T + 3_000] as const;
  const sql = eventSql(features, { table, kind });
  const names = [...features.fields, ...features.features].map(({ name }) => name);
  const described = await subject.warehouse.source.describe(bindWindow(sql, windowOf(...span, 'UTC'), 'test', kind));
  expect(described.map(({ name }) => name.toLowerCase())).toEqual(names);
  const [start, end] = span.map((at) => instant(new Date(at).toISOString()));
  const found = await subject.rows(sql.replaceAll(':window_start', start ?? '').replaceAll(':window_end', end ?? ''));
  const texts = found.map((row) => rowText(names.map((name) => row[name]))).sort();
  const expected = expectedRows(features, log, span);
  expect(texts).toEqual(expected);
  expect(expected.length).toBeGreaterThan(200);
}

function literal(subject: OpenSubject, value: FieldValue): string {
  if (typeof value === 'string') return subject.literal(value);
  return String(value);
}
