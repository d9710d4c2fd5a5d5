import { describe } from 'vitest';
import { SNOWFLAKE } from '../../../src/warehouse/snowflake/dialect.ts';
import { describeChanges } from '../conformance/changes.ts';
import { makeSubject, mayMake } from './subject.ts';

// Without an emulator (the last line of the output says why) or an account that may be written to; see subject.ts.
describe.skipIf(!mayMake())('on Snowflake', () => {
  describeChanges(makeSubject, {
    kind: 'snowflake',
    dialect: SNOWFLAKE,
    types: { timestamp: 'timestamp_tz', datetime: 'timestamp_ntz', json: 'variant' },
    parsed: (literal) => `parse_json(${literal})`,
  });
});
