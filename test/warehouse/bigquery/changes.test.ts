import { describe } from 'vitest';
import { BIGQUERY } from '../../../src/warehouse/bigquery/dialect.ts';
import { describeChanges } from '../conformance/changes.ts';
import { environment, MAY_WRITE, makeSubject, REAL } from './subject.ts';

// Without an emulator (the last line of the output says why) or a real one that may be written to; see subject.ts.
describe.skipIf(environment() === undefined || (REAL !== undefined && !MAY_WRITE))('on BigQuery', () => {
  describeChanges(makeSubject, {
    kind: 'bigquery',
    dialect: BIGQUERY,
    types: { timestamp: 'timestamp', datetime: 'datetime', json: 'json' },
    parsed: (literal) => `parse_json(${literal})`,
  });
});
