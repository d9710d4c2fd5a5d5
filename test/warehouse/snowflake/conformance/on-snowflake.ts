import { describe } from 'vitest';
import { type AreaName, conformance } from '../../conformance/suite.ts';
import { makeSubject, mayMake } from '../subject.ts';

/** Without an emulator (the last line of the output says why) or a real one that may be written to, see subject.ts, nothing is asked. */
export function onSnowflake(...areas: readonly AreaName[]): void {
  describe.skipIf(!mayMake())('on Snowflake', () => conformance('Snowflake', areas, makeSubject));
}
