import { describe, it } from 'vitest';
import { agreesOnEvents } from '../../event-features/emulated.ts';
import { openSubject } from '../conformance/subject.ts';
import { environment, MAY_WRITE, makeSubject, REAL } from './subject.ts';

describe.skipIf(environment() === undefined || (REAL !== undefined && !MAY_WRITE))('on BigQuery', () => {
  it('features of events have the values that the rules say', async () => {
    const types = { string: 'string', int64: 'int64', float64: 'float64', bool: 'bool' };
    const instant = (iso: string) => `timestamp '${iso}'`;
    await agreesOnEvents(await openSubject(makeSubject), { kind: 'bigquery', types, instant });
  });
});
