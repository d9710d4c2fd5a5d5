import { describe, it } from 'vitest';
import { readsAttributes } from '../../stream/attributes/emulated.ts';
import { openSubject } from '../conformance/subject.ts';
import { environment, MAY_WRITE, makeSubject, REAL } from './subject.ts';

// Without an emulator; the last line of the output says why there is none.
describe.skipIf(environment() === undefined || (REAL !== undefined && !MAY_WRITE))(
  'attributes of a stream, on BigQuery',
  () => {
    it('are read with their versions', async () => {
      await readsAttributes(await openSubject(makeSubject), { float: 'float64', decimal: 'numeric' });
    });
  },
);
