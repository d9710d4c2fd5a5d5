import { describe, it } from 'vitest';
import { expectAgreement } from '../../event-features/agreement/emulated.ts';
import { openSubject } from '../conformance/subject.ts';
import { makeSubject, mayMake } from './subject.ts';

describe.skipIf(!mayMake())('on Snowflake', () => {
  it.each(['event', 'arrival'] as const)('features as of %s agree with DuckDB and the embedded windows', async (asOf) => {
    const types = { string: 'varchar', int64: 'number(38,0)', float64: 'double', bool: 'boolean' };
    const instant = (iso: string) => `cast('${iso}' as timestamp_tz)`;
    const dialect = { types, instant, cased: (name: string) => name.toUpperCase() };
    await expectAgreement(await openSubject(makeSubject), { kind: 'snowflake', ...dialect }, asOf);
  });
});
