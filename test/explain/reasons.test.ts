import { describe, expect, it } from 'vitest';
import type { Baseline } from '../../src/explain/baseline.ts';
import { type RawValue, type ReasonText, reasonTexts, renderReasons, topFeatures } from '../../src/explain/reasons.ts';
import type { Bundle } from '../../src/model/bundle.ts';

function text(name: string, more: Partial<ReasonText> = {}): ReasonText {
  return { name, dtype: 'float32', template: undefined, usual: '9', mean: undefined, ...more };
}

function one(of: ReasonText, value: RawValue): string | null {
  const [row] = renderReasons({ texts: [of], values: Float64Array.of(1), rows: 1, features: 1, cell: () => value });
  return row?.[0] ?? null;
}

describe('topFeatures', () => {
  it.each<[title: string, values: readonly number[], count: number, chosen: readonly number[]]>([
    ['takes the largest first', [0.1, 0.3, 0.2], 2, [1, 2]],
    ['orders equal values as the signature does', [0.2, 0.3, 0.2, 0.3], 3, [1, 3, 0]],
    ['leaves out what is not positive', [0, -1, Number.NaN, 0.1, -0], 3, [3]],
    ['takes none where none raises the score', [-0.2, 0], 3, []],
  ])('%s', (_, values, count, chosen) => {
    expect(topFeatures(Float64Array.from(values), count)).toEqual(chosen);
  });
});

describe('renderReasons', () => {
  it('gives as many texts per row as are asked for, and null where there are fewer reasons', () => {
    const texts = [text('orders', { template: '{value} orders, usually {usual}' }), text('days_since_last')];
    const cells = [
      [3, 40],
      [12, 5],
      [9, 9],
    ];
    const values = Float64Array.of(0.1, 0.4, 0.2, -0.1, -0.3, 0);
    expect(
      renderReasons({ texts, values, rows: 3, features: 3, cell: (row, feature) => cells[row]?.[feature] ?? null }),
    ).toEqual([
      ['days since last 40, usually 9', '3 orders, usually 9', null],
      ['12 orders, usually 9', null, null],
      [null, null, null],
    ]);
  });

  it('says what others have on average if the value is the usual one', () => {
    const orders = text('orders', { mean: '11.4' });
    expect(one(orders, 9)).toBe('orders 9, usually 9, on average 11.4');
    expect(one(orders, 8)).toBe('orders 8, usually 9');
    expect(one(text('orders', { mean: '9' }), 9)).toBe('orders 9, usually 9');
  });

  it.each<[value: RawValue, shown: string]>([
    [3, '3'],
    [12.5, '12.5'],
    [12.979285714285714, '12.98'],
    [Math.fround(24.98), '24.98'],
    [1e21, '1000000000000000000000'],
    [1e-9, '0'],
    [-0.001, '0'],
    [-1234567.891, '-1234567.89'],
    [123456789012345678n, '123456789012345678'],
    ['3.500000', '3.5'],
    ['true', '1'],
    [false, '0'],
    [null, 'no value'],
    [Number.NaN, 'no value'],
    ['', 'no value'],
  ])('shows the number %s as %s', (value, shown) => {
    expect(one(text('n', { template: '{value}' }), value)).toBe(shown);
  });

  it.each<[value: RawValue, shown: string]>([
    ['pro', 'pro'],
    ['', 'empty'],
    [null, 'no value'],
    ['a\nb\u001b[31mc\u202ed', 'a\ufffdb\ufffd[31mc\ufffdd'],
    ['<b>שלום</b> 👩‍👩‍👧', '<b>שלום</b> 👩‍👩‍👧'],
    ['{usual} {name}', '{usual} {name}'],
    ['$& $1', '$& $1'],
    ['é'.repeat(61), `${'é'.repeat(59)}…`],
  ])('shows the text %j as %j', (value, shown) => {
    expect(one(text('plan', { dtype: 'string', template: '{value}' }), value)).toBe(shown);
  });

  it.each<[value: RawValue, shown: string]>([
    [true, 'yes'],
    ['false', 'no'],
    [1, 'yes'],
    [null, 'no value'],
  ])('shows the boolean %s as %s', (value, shown) => {
    expect(one(text('b', { dtype: 'bool', template: '{value}' }), value)).toBe(shown);
  });

  it('names the feature as it is called where the template asks for it', () => {
    expect(one(text('a_b', { template: '{name}={value} ({usual})' }), 1)).toBe('a_b=1 (9)');
  });
});

describe('the usual value', () => {
  const usual = (dtype: ReasonText['dtype'], cells: readonly (string | null)[]): string | undefined => {
    const features = [{ name: 'x', nullable: true, unknown: 'allow' as const }];
    const bundle = {
      definition: { inputs: [{ columns: [{ reason: '{value}' }] }] },
      signature: { inputs: [{ name: 'in', dtype, features }], output: { name: 'out', index: 0 } },
    } as unknown as Bundle;
    return reasonTexts(bundle, { cells: [cells] } as unknown as Baseline)[0]?.usual;
  };

  it.each<[title: string, dtype: ReasonText['dtype'], cells: readonly (string | null)[], shown: string]>([
    ['the median of numbers', 'float32', ['10', '2', '3'], '3'],
    ['one that occurs, of an even count', 'float64', ['1', '2', '4', '100'], '2'],
    ['the median without nulls', 'int64', [null, '7', '8', '9', null], '8'],
    ['no value, where most are null', 'float32', [null, null, '8'], 'no value'],
    ['the most frequent text', 'string', ['pro', 'free', 'free', null], 'free'],
    ['the first of equally frequent texts', 'string', ['pro', 'free'], 'pro'],
    ['the most frequent boolean', 'bool', ['true', 'false', 'TRUE'], 'yes'],
    ['the empty text, if it is the most frequent', 'string', ['', '', 'pro'], 'empty'],
  ])('is %s', (_, dtype, cells, shown) => {
    expect(usual(dtype, cells)).toBe(shown);
  });
});
