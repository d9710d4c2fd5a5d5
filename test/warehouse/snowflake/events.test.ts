import { describe, it } from 'vitest';
import { agreesOnEvents } from '../../event-features/emulated.ts';
import { openSubject } from '../conformance/subject.ts';
import { makeSubject, mayMake } from './subject.ts';

describe.skipIf(!mayMake())('on Snowflake', () => {
  it('features of events have the values that the rules say', async () => {
    const types = { string: 'varchar', int64: 'number(38,0)', float64: 'double', bool: 'boolean' };
    const instant = (iso: string) => `cast('${iso}' as timestamp_tz)`;
    const cased = (name: string) => name.toUpperCase();
    await agreesOnEvents(await openSubject(makeSubject), { kind: 'snowflake', types, instant, cased });
  });
});
