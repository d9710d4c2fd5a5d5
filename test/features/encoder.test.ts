import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnBatch, ColumnValues, ReadKind } from '../../src/domain/column-batch.ts';
import type { Column } from '../../src/domain/schema.ts';
import { type Feature, featuresOf, type InputDtype, type ModelInput, type Signature } from '../../src/domain/signature.ts';
import { createEncoder } from '../../src/features/encoder.ts';
import { type Reason, readRejection } from '../../src/features/rejection.ts';

type Value = number | bigint | string | null;
type Encoded = { readonly value: number | bigint | string } | { readonly reason: Reason };

/** What a value becomes, or why its row is rejected: the rules of model.yaml, one value at a time and as plain as possible. */
function encodeNaively(
  { nullable, default: filler, range, categories, unknown }: Feature,
  dtype: InputDtype,
  value: Value,
): Encoded {
  const replacement = typeof filler === 'string' ? filler : dtype === 'int64' ? BigInt(Number(filler ?? 0)) : Number(filler);
  if (value === null) return nullable ? { value: replacement } : { reason: 'null in a required feature' };
  if (typeof value === 'string') {
    if (categories === undefined || categories.includes(value) || unknown === 'allow') return { value };
    return unknown === 'default' ? { value: replacement } : { reason: 'unknown category' };
  }
  if (Number.isNaN(value) && nullable && filler === undefined) return { value };
  if (typeof value === 'number' && !Number.isFinite(value)) return { reason: 'feature is not a finite number' };
  if (range !== undefined && (value < range[0] || value > range[1])) return { reason: 'feature out of range' };
  return { value };
}

/** The column's values as DuckDB hands them over: under a null there is rubbish, not zero. */
function toColumn(kind: ReadKind, values: readonly Value[]): ColumnValues {
  if (kind === 'string') return { kind, values: values as (string | null)[], valid: undefined };
  const valid = new Uint8Array(Math.ceil(values.length / 8));
  for (const [row, value] of values.entries()) if (value !== null) valid[row >> 3] = (valid[row >> 3] ?? 0) | (1 << (row & 7));
  switch (kind) {
    case 'int64':
      return { kind, values: BigInt64Array.from(values, (value) => (value === null ? 77n : (value as bigint))), valid };
    case 'float32':
      return { kind, values: Float32Array.from(values, (value) => (value === null ? 77 : Number(value))), valid };
    case 'float64':
      return { kind, values: Float64Array.from(values, (value) => (value === null ? 77 : Number(value))), valid };
    case 'bool':
      return { kind, values: Uint8Array.from(values, (value) => (value === null ? 1 : Number(value))), valid };
  }
}

interface Case {
  readonly signature: Signature;
  readonly columns: readonly Column[];
  /** Per feature, one value per row. */
  readonly values: readonly (readonly Value[])[];
  /** Rows of each batch. */
  readonly batches: readonly number[];
}

const DTYPES = ['float32', 'float64', 'int64', 'bool', 'string'] as const;
const CATEGORIES = ['free', 'pro'];
const float = fc.constantFrom(-2.5, -1, -0, 0, 0.1, 1, 3.75, Number.NaN, Infinity, -Infinity, 1e30);
const VALUES: Readonly<Record<InputDtype, fc.Arbitrary<Value>>> = {
  float32: float,
  float64: float,
  int64: fc.constantFrom(-2n, -1n, 0n, 1n, 3n, 4n, 2n ** 62n),
  bool: fc.constantFrom(0, 1),
  string: fc.constantFrom('free', 'pro', 'other', ''),
};
const DEFAULTS: Readonly<Record<InputDtype, number | string | boolean>> = {
  float32: 0.5,
  float64: -9,
  int64: -9,
  bool: true,
  string: 'free',
};

/** A feature that a bundle can have: model.yaml is checked for the combinations that make no sense. */
function featureOf(dtype: InputDtype): fc.Arbitrary<Omit<Feature, 'name'>> {
  const floating = dtype === 'float32' || dtype === 'float64';
  return fc.record({ nullable: fc.boolean(), bare: fc.boolean(), limited: fc.boolean(), unknown: fc.nat(2) }).map((choice) => {
    const unknown =
      dtype === 'string' && choice.limited ? (['quarantine', 'allow', 'default'] as const)[choice.unknown] : undefined;
    const needsDefault = (choice.nullable && !(floating && choice.bare)) || unknown === 'default';
    return {
      nullable: choice.nullable,
      // Without categories a text feature takes any text, and says so.
      unknown: unknown ?? (dtype === 'string' ? 'allow' : 'quarantine'),
      ...(needsDefault && { default: DEFAULTS[dtype] }),
      ...(choice.limited && dtype === 'string' && { categories: CATEGORIES }),
      ...(choice.limited && dtype === 'int64' && { range: [-1.5, 3] as const }),
      ...(choice.limited && floating && { range: [-1, 3.75] as const }),
    };
  });
}

const input = fc.constantFrom(...DTYPES).chain((dtype) =>
  fc.record({
    dtype: fc.constant(dtype),
    features: fc.array(
      fc.record({
        feature: featureOf(dtype),
        // What the column is in the warehouse; a FLOAT is read as float32, every other number as float64.
        native: fc.constantFrom('FLOAT', 'DOUBLE'),
        values: fc.array(fc.option(VALUES[dtype], { freq: 4 }), { minLength: 40, maxLength: 40 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  }),
);

const anyCase: fc.Arbitrary<Case> = fc
  .record({
    inputs: fc.array(input, { minLength: 1, maxLength: 3 }),
    batches: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 3 }),
  })
  .map(({ inputs, batches }) => {
    const described = inputs.map(
      ({ dtype, features }, i): ModelInput => ({
        name: `input_${i}`,
        dtype,
        features: features.map(({ feature }, j) => ({ ...feature, name: `f_${i}_${j}` })),
      }),
    );
    const drawn = inputs.flatMap(({ features }) => features);
    return {
      signature: { inputs: described, output: { name: 'score', index: 0 } },
      columns: drawn.map(({ native }, i) => ({ name: `c_${i}`, type: 'float', native })),
      values: drawn.map(({ values }) => values),
      batches,
    };
  });

/** Encodes batch after batch into one set of tensors, as a chunk worker does. */
function encode({ signature, columns, values, batches }: Case) {
  const rows = batches.reduce((sum, count) => sum + count, 0);
  // Room for more rows than there are: the tensors must be cut to those that were written.
  const encoder = createEncoder(signature, columns, rows + 3);
  const rejected = new Int32Array(rows);
  let offset = 0;
  for (const count of batches) {
    const batch: ColumnBatch = {
      rows: count,
      columns: encoder.kinds.map((kind, i) => toColumn(kind, values[i]?.slice(offset, offset + count) ?? [])),
    };
    encoder.encode(batch, offset, rejected.subarray(offset, offset + count));
    offset += count;
  }
  return { rows, rejected, kinds: encoder.kinds, tensors: encoder.tensors(rows), texts: encoder.texts() };
}

/** Numbers are rounded once, to what the tensor holds; a FLOAT column was rounded before, by the warehouse. */
function asRead(value: Value, kind: ReadKind): Value {
  return kind === 'float32' && typeof value === 'number' ? Math.fround(value) : value;
}

it('encodes every row as one value at a time would be', () => {
  fc.assert(
    fc.property(anyCase, (given) => {
      const { rows, rejected, kinds, tensors } = encode(given);
      const features = featuresOf(given.signature);
      for (let row = 0; row < rows; row += 1) {
        const encoded = features.map(({ feature, dtype }, i) =>
          encodeNaively(feature, dtype, asRead(given.values[i]?.[row] ?? null, kinds[i] ?? 'string')),
        );
        const problem = encoded.findIndex((one) => 'reason' in one);
        const found = rejected[row] === 0 ? undefined : readRejection(rejected[row] ?? 0);
        const wanted = encoded[problem];
        expect(found).toEqual(wanted && 'reason' in wanted ? { reason: wanted.reason, feature: problem } : undefined);
        if (found) continue;
        const expected = encoded.map((one, i) => {
          const value = 'value' in one ? one.value : '';
          return features[i]?.dtype === 'float32' ? Math.fround(Number(value)) : value;
        });
        const actual = tensors.flatMap(({ values, shape: [, width] }) => [...values].slice(row * width, (row + 1) * width));
        expect(actual).toEqual(expected);
      }
      expect(tensors.map(({ name, dtype, shape, values }) => [name, dtype, shape, values.length])).toEqual(
        given.signature.inputs.map(({ name, dtype, features: { length } }) => [name, dtype, [rows, length], rows * length]),
      );
    }),
    { numRuns: 300 },
  );
});

it('counts what is outside the categories, whatever is done about it', () => {
  fc.assert(
    fc.property(anyCase, (given) => {
      const { rows, texts } = encode(given);
      const expected = featuresOf(given.signature).flatMap(({ feature: { name, categories } }, i) => {
        const present = (given.values[i] ?? []).slice(0, rows).filter((value) => value !== null);
        return categories === undefined
          ? []
          : [[name, [present.length, present.filter((value) => !categories.includes(String(value))).length]]];
      });
      expect(texts).toEqual(Object.fromEntries(expected));
    }),
  );
});

it('what a rejected row leaves behind can be given to the model', () => {
  fc.assert(
    fc.property(anyCase, (given) => {
      for (const { values, dtype } of encode(given).tensors) {
        for (const value of values) {
          expect(typeof value).toBe(dtype === 'string' ? 'string' : dtype === 'int64' ? 'bigint' : 'number');
          expect(value).not.toBe(Infinity);
          expect(value).not.toBe(-Infinity);
        }
      }
    }),
  );
});

describe('single rules', () => {
  const one = (feature: Partial<Feature>, dtype: InputDtype, values: readonly Value[], native = 'DOUBLE') => {
    const { rejected, tensors } = encode({
      signature: {
        inputs: [{ name: 'x', dtype, features: [{ name: 'x', nullable: false, unknown: 'quarantine', ...feature }] }],
        output: { name: 'score', index: 0 },
      },
      columns: [{ name: 'x', type: 'float', native }],
      values: [values],
      batches: [values.length],
    });
    return [...(tensors[0]?.values ?? [])].map((value, row) =>
      rejected[row] === 0 ? value : readRejection(rejected[row] ?? 0).reason,
    );
  };

  it('a number that float32 cannot hold is not infinite for the model: it is rejected', () => {
    expect(one({}, 'float32', [3.4e38, 1e39, -1e300])).toEqual([
      Math.fround(3.4e38),
      'feature is not a finite number',
      'feature is not a finite number',
    ]);
    expect(one({}, 'float64', [1e39])).toEqual([1e39]);
  });

  it('a range is checked before a number is rounded to float32', () => {
    expect(one({ range: [0, 1] }, 'float32', [1, 1 + 1e-12])).toEqual([1, 'feature out of range']);
  });

  it('the bounds of a range belong to it', () => {
    expect(one({ range: [-1, 0.1] }, 'float32', [-1, 0.1])).toEqual([-1, Math.fround(0.1)]);
    expect(one({ range: [-1, 3] }, 'int64', [-2n, -1n, 3n, 4n])).toEqual([
      'feature out of range',
      -1n,
      3n,
      'feature out of range',
    ]);
  });

  it('whole numbers of 64 bits arrive exactly', () => {
    const large = [2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n];
    expect(one({}, 'int64', large)).toEqual(large);
  });
});
