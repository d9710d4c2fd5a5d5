import { describe } from 'vitest';
import { conformance } from '../conformance.ts';
import { makeSubject, mayMake } from './subject.ts';

// Without an emulator (the last line of the output says why) or a real one that may be written to; see subject.ts.
describe.skipIf(!mayMake())('on Snowflake', () => {
  conformance('Snowflake', makeSubject);
});
