import { describe, it } from 'vitest';
import { expectAgreement } from '../../event-features/agreement/emulated.ts';
import { openSubject } from '../conformance/subject.ts';
import { environment, MAY_WRITE, makeSubject, REAL } from './subject.ts';

describe.skipIf(environment() === undefined || (REAL !== undefined && !MAY_WRITE))('on BigQuery', () => {
  it.each(['event', 'arrival'] as const)('features as of %s agree with DuckDB and the embedded windows', async (asOf) => {
    const types = { string: 'string', int64: 'int64', float64: 'float64', bool: 'bool' };
    const dialect = { types, instant: (iso: string) => `timestamp '${iso}'`, cased: (name: string) => name };
    await expectAgreement(await openSubject(makeSubject), { kind: 'bigquery', ...dialect }, asOf);
  });
});
