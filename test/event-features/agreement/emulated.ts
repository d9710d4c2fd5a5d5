import { expect } from 'vitest';
import type { EventFeatures, FieldType, FieldValue } from '../../../src/event-features/definition.ts';
import { eventSql } from '../../../src/event-features/sql/event-sql.ts';
import { temporaryFolder } from '../../support/project.ts';
import type { OpenSubject } from '../../warehouse/conformance/subject.ts';
import { agree } from './agree.ts';
import { disagreeing, resultColumns } from './compare.ts';
import type { LoggedEvent } from './generate.ts';

const ROWS_PER_STATEMENT = 500;

export interface Dialect {
  readonly kind: 'bigquery' | 'snowflake';
  readonly types: Readonly<Record<FieldType, string>>;
  readonly instant: (iso: string) => string;
  readonly cased: (name: string) => string;
}

/** A small log in a warehouse: its SQL agrees with DuckDB's, with the embedded windows, and with the rules. */
export async function expectAgreement(subject: OpenSubject, dialect: Dialect, asOf: EventFeatures['asOf']): Promise<void> {
  const warehouse = (features: EventFeatures, log: readonly LoggedEvent[]) => query(subject, dialect, features, log);
  const options = {
    events: 1_000,
    seed: Math.floor(Date.now() / 86_400_000),
    asOf,
    warehouse,
    folder: await temporaryFolder(),
  };
  const { verdicts, forms } = await agree(options);
  expect(Object.keys(forms)).toEqual(['duckdb', 'embedded', 'warehouse']);
  expect(disagreeing(forms)).toEqual({});
  for (const { rows } of Object.values(forms)) expect(rows).toBe(verdicts.accepted);
}

async function query(subject: OpenSubject, dialect: Dialect, features: EventFeatures, log: readonly LoggedEvent[]) {
  const { kind, types, cased, instant } = dialect;
  const place = Object.values(features.log ?? {}).map((name) => ({ name, type: 'int64' as const }));
  const columns = [...features.fields, ...place];
  const definitions = columns.map(({ name, type }) => `${subject.quote(cased(name))} ${types[type]}`);
  await subject.execute(`create table agreement (${definitions.join(', ')})`);
  for (let from = 0; from < log.length; from += ROWS_PER_STATEMENT) {
    const rows = log.slice(from, from + ROWS_PER_STATEMENT).map(({ values, partition, offset, timestamp }) => {
      const row = [...values, partition, offset, timestamp];
      return `(${row.map((value, i) => literal(subject, types, value, columns[i]?.type)).join(', ')})`;
    });
    await subject.execute(`insert into agreement values ${rows.join(', ')}`);
  }
  const sql = eventSql(features, { table: ['agreement'], kind })
    .replaceAll(':window_start', instant('1990-01-01T00:00:00.000Z'))
    .replaceAll(':window_end', instant('2099-12-31T00:00:00.000Z'));
  // Clients of tests have integers as numbers, and some sums are beyond 2^53.
  const names = [features.id, features.time, ...features.features.map(({ name }) => name)];
  const column = (name: string) => subject.quote(cased(name));
  const shown = names.map((name) =>
    resultColumns(features)[name] === 'BIGINT' ? `cast(${column(name)} as ${types.string}) as ${column(name)}` : column(name),
  );
  const rows = await subject.rows(`select ${shown.join(', ')} from (${sql}) as found`);
  return rows.map((row) => Object.fromEntries(names.map((name) => [name, row[cased(name)] ?? row[name]])));
}

/** A literal with many digits would be a decimal. */
function literal(subject: OpenSubject, types: Dialect['types'], value: FieldValue, type: FieldType | undefined): string {
  if (typeof value === 'string') return subject.literal(value);
  return type === 'float64' && value !== null ? `cast('${value}' as ${types.float64})` : String(value);
}
