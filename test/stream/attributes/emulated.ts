import { expect } from 'vitest';
import type { Query } from '../../../src/domain/query.ts';
import { queryColumns } from '../../../src/stream/attributes/query-columns.ts';
import { readRows } from '../../../src/stream/attributes/query-rows.ts';
import type { OpenSubject } from '../../warehouse/conformance/subject.ts';

/** Attributes of a query of the warehouse: values of all types, versions, parts, and what is refused. */
export async function readsAttributes(subject: OpenSubject, types: { readonly float: string; readonly decimal: string }) {
  const { source } = subject.warehouse;
  const { integerType, stringType } = subject;
  const read = async (sql: string, version: string | undefined, rowsAtOnce = 1000) => {
    const query: Query = { name: 'attributes.query', texts: [sql], parameters: [] };
    const columns = queryColumns(await source.describe(query), { key: 'user_id', version }, undefined);
    return await readRows(source, query, columns, {
      limits: { rows: 1000, bytes: 1e6 },
      signal: new AbortController().signal,
      warn: () => undefined,
      now: 0,
      rowsAtOnce,
    });
  };
  await subject.execute(
    `create table known (user_id ${stringType}, updated ${integerType}, age ${integerType}, home ${stringType},
      risk ${types.float}, spent ${types.decimal}, checked boolean)`,
  );
  await subject.execute(`insert into known values
    ('ann', 7, 30, ${subject.literal('it\'s "DK"')}, 0.1, 12.5, true), ('bob', 8, null, null, null, null, null),
    ('eve', 9, -9007199254740991, 'SE', 0.30000000000000004, -0.25, false)`);
  for (const rowsAtOnce of [1000, 1]) {
    const table = await read('select * from known', 'updated', rowsAtOnce);
    expect(table.columns.map(({ name, type }) => `${name.toLowerCase()} ${type}`)).toEqual([
      ...['age int64', 'home string', 'risk float64', 'spent float64', 'checked bool'],
    ]);
    expect(table.find('ann')).toEqual({ version: '7', values: [30, 'it\'s "DK"', 0.1, 12.5, true] });
    expect(table.find('bob')).toEqual({ version: '8', values: [null, null, null, null, null] });
    expect(table.find('eve')).toEqual({ version: '9', values: [-9007199254740991, 'SE', 0.30000000000000004, -0.25, false] });
    expect(table.rows).toBe(3);
  }
  const loaded = await read('select user_id, age from known', undefined);
  expect(loaded.find('ann')).toEqual({ version: 'load 1970-01-01T00:00:00.000Z', values: [30] });
  await expect(read('select * from known union all select * from known', 'updated')).rejects.toMatchObject({ kind: 'refused' });
  await expect(read('select user_id, updated, age - 1 as age from known', 'updated')).rejects.toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('is beyond 2^53'),
  });
  await expect(read('select * from absent', 'updated')).rejects.toMatchObject({ kind: 'configuration' });
}
