import { describe } from 'vitest';
import { conformance } from '../conformance.ts';
import { makeSubject, mayMake } from './subject.ts';

describe.skipIf(!mayMake())('on Snowflake', () => {
  conformance('Snowflake', makeSubject);
});
