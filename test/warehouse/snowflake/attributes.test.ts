import { describe, it } from 'vitest';
import { readsAttributes } from '../../stream/attributes/emulated.ts';
import { openSubject } from '../conformance/subject.ts';
import { makeSubject, mayMake } from './subject.ts';

// Without an emulator; the last line of the output says why there is none.
describe.skipIf(!mayMake())('attributes of a stream, on Snowflake', () => {
  it('are read with their versions', async () => {
    await readsAttributes(await openSubject(makeSubject), { float: 'float', decimal: 'number(9,2)' });
  });
});
