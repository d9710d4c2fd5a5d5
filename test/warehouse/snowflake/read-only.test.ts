import { describe, expect, it } from 'vitest';
import { environment, openAt, REAL } from './subject.ts';

// Without an emulator (the last line of the output says why) or a real one; see subject.ts.
describe.skipIf(environment() === undefined)('on Snowflake, without making anything', () => {
  const url = REAL ?? 'snowflake://fakesnow/home/public?warehouse=w';
  const plain = (sql: string) => ({ name: 'query', texts: [sql], parameters: [] });

  it('reaches the account, describes a query and asks it', async () => {
    const warehouse = openAt(url);
    await warehouse.reach();
    const schema = await warehouse.source.describe(plain(`select cast(1 as number(18,0)) as n, 'x' as "lower"`));
    expect(schema).toEqual([
      { name: 'N', type: 'integer', native: 'NUMBER(18,0)' },
      { name: 'lower', type: 'string', native: 'VARCHAR' },
    ]);
    expect(await warehouse.source.ready(plain('select 1 = 1'))).toBe(true);
    expect(await warehouse.source.frozen('never')).toBeUndefined();
    expect(await warehouse.sink.staged('never')).toEqual([]);
    await warehouse.close();
  });
});
