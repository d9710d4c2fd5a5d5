import { describe, expect, it } from 'vitest';
import type { ColumnType, Schema } from '../../src/domain/schema.ts';
import type { InputDtype, Signature } from '../../src/domain/signature.ts';
import { firstJob } from '../../src/plan/first-job.ts';
import { propose } from '../../src/plan/proposal.ts';

const schemaOf = (columns: Record<string, ColumnType>): Schema =>
  Object.entries(columns).map(([name, type]) => ({ name, type, native: type.toUpperCase() }));

const signatureOf = (features: Record<string, InputDtype>): Signature => ({
  inputs: Object.entries(features).map(([name, dtype]) => ({
    name,
    dtype,
    features: [{ name, nullable: false, unknown: 'allow' }],
  })),
  output: { name: 'score', index: 0 },
});

describe('the key', () => {
  it.each<[string, Record<string, ColumnType>, string | undefined]>([
    ['is called id', { id: 'integer', user_id: 'integer' }, 'id'],
    ['is called after the table', { order_id: 'string', user_id: 'integer' }, 'order_id'],
    ['is the only one that is called like one', { orderId: 'uuid', amount: 'float' }, 'orderId'],
    ['is open where several may be', { shop_id: 'integer', user_id: 'integer' }, undefined],
    ['is no number with a fraction', { id: 'float' }, undefined],
    ['is no column that the quarantine table has', { run_id: 'string' }, undefined],
    ['is no feature', { plan_id: 'integer' }, undefined],
    ['is no word that ends alike', { paid: 'integer' }, undefined],
  ])('%s', (_, columns, expected) => {
    expect(propose(signatureOf({ plan_id: 'int64' }), schemaOf(columns), 'orders').key?.name).toBe(expected);
  });
});

it('finds features in any case, and leaves open what is only near or of a type that the model does not take', () => {
  const signature = signatureOf({ Plan: 'string', logins: 'int64', age: 'float32', spend: 'float32' });
  const schema = schemaOf({ PLAN: 'string', login: 'integer', age: 'string', note: 'string' });
  expect(propose(signature, schema, 't')).toMatchObject({
    features: [{ name: 'PLAN' }],
    open: [
      { name: 'logins', column: 'login', why: 'the table has no such column' },
      { name: 'age', column: 'age', why: 'the column is STRING: cast it in the query if that loses no information' },
      { name: 'spend', column: undefined },
    ],
    others: ['login', 'age', 'note'],
  });
});

describe('a query', () => {
  const signature = signatureOf({ order: 'int64', 'two words': 'int64' });

  it.each([
    ['duckdb', ['id', '"order"', '"two words"'], 'signup', 'shop."my table"'],
    ['bigquery', ['id', '`order`', '`two words`'], 'signup', 'shop.`my table`'],
    ['snowflake', ['"id"', '"order"', '"two words"'], '"signup"', 'shop."my table"'],
  ] as const)('quotes names for %s where it must', (kind, columns, time, table) => {
    const schema = schemaOf({ id: 'integer', order: 'integer', 'two words': 'integer', signup: 'timestamp' });
    const { query, open } = firstJob(propose(signature, schema, 'my table'), ['shop', 'my table'], kind);
    expect(query).toMatchObject({ columns, time: { column: time, suffix: '' }, table });
    expect(open).toEqual([]);
  });
});
