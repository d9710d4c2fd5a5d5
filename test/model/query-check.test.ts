import { describe, expect, it } from 'vitest';
import type { ColumnType, Schema } from '../../src/domain/schema.ts';
import type { InputDtype, Signature } from '../../src/domain/signature.ts';
import { featureColumns } from '../../src/model/query-check.ts';
import { presentError } from '../../src/terminal/error.ts';

function signatureOf(features: Record<string, InputDtype>): Signature {
  return {
    inputs: Object.entries(features).map(([name, dtype]) => ({
      name: `input of ${name}`,
      dtype,
      features: [{ name, nullable: false, unknown: 'quarantine' }],
    })),
    output: { name: 'score', index: 0 },
  };
}

function schemaOf(columns: Record<string, ColumnType>): Schema {
  return Object.entries(columns).map(([name, type]) => ({ name, type, native: type.toUpperCase() }));
}

it('finds the columns in the order of the features, by name, rename or any case, and ignores the others', () => {
  const signature = signatureOf({ orders: 'float32', amount: 'float64', Plan: 'string' });
  const schema = schemaOf({ id: 'integer', PLAN: 'string', total: 'decimal', orders: 'integer', ORDERS: 'string' });
  expect(featureColumns(signature, schema, { amount: 'total' }).map(({ name }) => name)).toEqual(['orders', 'total', 'PLAN']);
});

it('a feature that is called like something that every object has is found by its name', () => {
  const schema = schemaOf({ ['constructor' as string]: 'integer', ['toString' as string]: 'integer', other: 'integer' });
  const features = signatureOf({ ['constructor' as string]: 'int64', ['toString' as string]: 'int64' });
  expect(featureColumns(features, schema, { ['toString' as string]: 'other' }).map(({ name }) => name)).toEqual([
    'constructor',
    'other',
  ]);
});

describe('which column feeds which input', () => {
  const TYPES: ColumnType[] = [
    'integer',
    'decimal',
    'float',
    'bool',
    'string',
    'date',
    'datetime',
    'timestamp',
    'uuid',
    'other',
  ];

  it.each<[InputDtype, ColumnType[]]>([
    ['float32', ['integer', 'decimal', 'float', 'bool']],
    ['float64', ['integer', 'decimal', 'float', 'bool']],
    ['int64', ['integer', 'bool']],
    ['bool', ['bool']],
    ['string', ['string']],
  ])('%s takes %j', (dtype, accepted) => {
    const taken = TYPES.filter((type) => {
      try {
        return featureColumns(signatureOf({ a: dtype }), schemaOf({ a: type }), {}).length === 1;
      } catch {
        return false;
      }
    });
    expect(taken).toEqual(accepted);
  });
});

it('everything that is missing or of the wrong type is shown at once, with what was probably meant', () => {
  const signature = signatureOf({
    orders: 'float32',
    amount: 'float32',
    visits: 'int64',
    plan: 'float32',
    country: 'string',
    active: 'bool',
  });
  const schema = schemaOf({
    order: 'integer',
    visits: 'float',
    plan: 'string',
    land: 'string',
    active: 'integer',
    total: 'float',
  });
  let shown: ReturnType<typeof presentError> | undefined;
  try {
    featureColumns(signature, schema, { country: 'lnd', plans: 'plan' });
  } catch (error) {
    shown = presentError(error);
  }
  expect(shown?.exitCode).toBe(78);
  expect(shown?.text).toMatchInlineSnapshot(`
    "error: the query does not provide what the model needs
      features renames plans, which the model does not have
      the query has no column orders for the model; rename order under features?
      the query has no column amount for the model
      visits is FLOAT and the model takes int64: cast it in the query if that loses no information
      plan is STRING and the model takes float32: cast it in the query if that loses no information
      the query has no column lnd for the model; rename land under features?
      active is INTEGER and the model takes bool: cast it in the query if that loses no information
    hint: \`score-batch model inspect FOLDER\` prints the columns that a model needs"
  `);
});

it.each<[ColumnType, string[] | undefined, string]>([
  [
    'bool',
    ['No', 'Yes'],
    'a cast would give false and true, and the model knows "No", "Yes": map them with CASE in the query, or load the column as text',
  ],
  ['bool', ['false', 'true'], 'cast it in the query; that gives false and true, and the model knows "false", "true"'],
  [
    'integer',
    ['free', 'pro'],
    'a cast would give numbers such as 0 and 1, and the model knows "free", "pro": map them with CASE in the query, or load the column as text',
  ],
  ['integer', ['1', '2'], 'cast it in the query; that gives numbers such as 0 and 1, and the model knows "1", "2"'],
  [
    'float',
    Array.from({ length: 9 }, (_, i) => `${i}`),
    'a cast would give numbers such as 0.0 and 1.5, and the model knows "0", "1", "2", "3", "4", "5" and 3 more: map them with CASE in the query, or load the column as text',
  ],
  ['date', undefined, 'cast it in the query if that loses no information'],
])('what a cast of %s to text gives stands beside the categories %j', (type, categories, expected) => {
  const feature = { name: 'plan', nullable: false, unknown: 'quarantine' as const, ...(categories && { categories }) };
  const signature: Signature = {
    inputs: [{ name: 'x', dtype: 'string', features: [feature] }],
    output: { name: 'score', index: 0 },
  };
  expect(() => featureColumns(signature, schemaOf({ plan: type }), {})).toThrow(
    expect.objectContaining({ details: [`plan is ${type.toUpperCase()} and the model takes string: ${expected}`] }),
  );
});
