import { expect, it } from 'vitest';
import type { Column } from '../../../src/domain/schema.ts';
import type { WarehouseKind } from '../../../src/domain/warehouse-kind.ts';
import { bindSlice } from '../../../src/job/changed-keys.ts';
import { changeSources } from '../../../src/slice/changes/declared.ts';
import type { ChangeSource } from '../../../src/slice/changes/source.ts';
import type { Dialect } from '../../../src/warehouse/dialect.ts';
import type { Source } from '../../../src/warehouse/warehouse.ts';
import { jobWith } from '../../slice/changes/job.ts';
import { type MakeSubject, openSubject } from './subject.ts';

interface ChangesCase {
  readonly kind: WarehouseKind;
  readonly dialect: Dialect;
  /** Its types of instants, wall-clock times, and JSON other than text; JSON of a text. */
  readonly types: { readonly timestamp: string; readonly datetime: string; readonly json: string };
  readonly parsed: (literal: string) => string;
}

const query = (sql: string) => ({ name: 'changes', texts: [sql], parameters: [] });

/** Users that changed, as SQL that the warehouse runs. */
export function describeChanges(makeSubject: MakeSubject, { kind, dialect, types, parsed }: ChangesCase): void {
  const opened = async (source: Source, change: object, key: readonly Column[]): Promise<ChangeSource> => {
    const names = key.map(({ name }) => name);
    const [declared] = changeSources(jobWith(change, { lookback: '0 seconds' }, names), kind);
    if (declared === undefined) throw new Error('no change source');
    return declared.found(await source.describe(query(declared.columns)), key);
  };
  const spanOf = async (source: Source, changes: ChangeSource, from: string | null) => {
    const [row = []] = await source.select(query('select 1 as x'), () => changes.bounds(dialect, from));
    return changes.span(row, from);
  };
  const keysOf = async (source: Source, changes: ChangeSource, span: Parameters<ChangeSource['keys']>[1], count: number) => {
    const rows = await source.select(query(changes.keys(dialect, span)), (_, relation) => {
      const texts = Array.from(
        { length: count },
        (_, i) => `CAST(${dialect.identifier(`k${i}`)} AS ${dialect.type({ type: 'string' })})`,
      );
      return `SELECT ${texts.join(', ')} FROM ${relation}`;
    });
    return rows.map((row) => row.join('/')).sort();
  };

  it.each(['timestamp', 'datetime', 'date'] as const)('finds changes by a watermark that is a %s', async (type) => {
    const { execute, table, warehouse, integerType } = await openSubject(makeSubject);
    const orders = table(['orders']);
    const native = type === 'date' ? 'date' : types[type];
    const at = (text: string) => `cast('${type === 'date' ? text.slice(0, 10) : text}' as ${native})`;
    await execute(`create table ${orders} (k0 ${integerType}, loaded ${native})`);
    await execute(
      `insert into ${orders} values (1, ${at('2026-11-16 09:00:00.123456')}), (2, ${at('2026-11-17 09:00:00.123456')})`,
    );
    const { source } = warehouse;
    const schema = await source.describe(query(`select k0 from ${orders}`));
    const key = schema.map((column) => ({ ...column, name: 'k0' }));
    const changes = await opened(source, { table: orders, watermark: 'loaded' }, key);
    const first = await spanOf(source, changes, null);
    expect(first.span.to).toBe(type === 'date' ? '2026-11-18T00:00:00.000000Z' : '2026-11-17T09:00:00.123457Z');
    await execute(`insert into ${orders} values (3, ${at('2026-11-17 09:00:00.123456')}), (4, ${at('2026-11-18 10:00:00.5')})`);
    const second = await spanOf(source, changes, first.span.to);
    expect(await keysOf(source, changes, second.span, 1)).toEqual(['2', '3', '4']);
  });

  it('binds a slice to the microsecond, and selects changed keys of several columns', async () => {
    const { execute, table, warehouse, integerType, stringType } = await openSubject(makeSubject);
    const [orders, changed] = [table(['orders']), table(['changed'])];
    await execute(
      `create table ${orders} as select 1 as k0, 'a' as k1, 5 as n union all select 1, 'b', 6 union all select 2, 'a', 7`,
    );
    await execute(`create table ${changed} (c0 ${integerType}, c1 ${stringType})`);
    await execute(`insert into ${changed} values (1, 'b'), (2, 'a')`);
    const slice = {
      ...{ name: 'q.sql', kind, zone: 'America/New_York', since: '1997-01-01', asOf: '2026-11-18T09:00:00.000001Z' },
      key: ['k0', 'k1'],
      changed: { relation: changed, columns: ['c0', 'c1'] },
    };
    const read = async (sql: string) => {
      const bound = bindSlice(sql, slice);
      const rows = await warehouse.source.select(bound, (dialect, relation) => {
        const instant = dialect.text('instant', { type: 'timestamp' });
        return `SELECT CAST(n AS ${dialect.type({ type: 'string' })}), ${instant}, ${dialect.text('wall', { type: 'datetime' })} FROM ${relation}`;
      });
      return rows.map((row) => row.join(' ')).sort();
    };
    const list = 'select k0, k1, n, :window_end as instant, :window_end_local as wall';
    const found = ['6', '7'].map((n) => `${n} 2026-11-18 09:00:00.000001 2026-11-18 04:00:00.000001`);
    expect(await read(`${list} from ${orders} o where (o.k0, o.k1) in (:changed_keys)`)).toEqual(found);
    expect(await read(`${list} from ${orders}`)).toEqual(found);
  });

  it.each(['text', 'json'])('finds changes in events of Debezium as %s', async (how) => {
    const { execute, table, warehouse, integerType, stringType } = await openSubject(makeSubject);
    const events = table(['events']);
    const image = how === 'json' ? types.json : stringType;
    const of = (user: number) => {
      const text = dialect.literal(JSON.stringify({ id: 7, 'user id': user, shop: 's' }));
      return how === 'json' ? parsed(text) : text;
    };
    await execute(`create table ${events} (op ${stringType}, before ${image}, after ${image}, lsn ${integerType})`);
    await execute(`insert into ${events} select 'u', ${of(1)}, ${of(2)}, 7 union all select 'c', null, ${of(3)}, 8`);
    await execute(`insert into ${events} select 'd', ${of(4)}, null, 5`);
    const { source } = warehouse;
    const [k0, k1] = await source.describe(query(`select lsn, op from ${events}`));
    const key = [
      { ...k0, name: 'k0' },
      { ...k1, name: 'k1' },
    ] as Column[];
    const changes = await opened(source, { table: events, events: 'debezium', key: ['user id', 'shop'] }, key);
    const { span, warnings } = await spanOf(source, changes, '7');
    expect({ span, warnings }).toEqual({ span: { source: events, from: '7', to: '9' }, warnings: [] });
    expect(await keysOf(source, changes, span, 2)).toEqual(['1/s', '2/s', '3/s']);
    expect((await spanOf(source, changes, null)).span.to).toBe('9');
  });
}
