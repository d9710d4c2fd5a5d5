import { expect, it } from 'vitest';
import { createEncoder } from '../../src/features/encoder.ts';
import { readRejection } from '../../src/features/rejection.ts';
import { createCells } from '../../src/serve/cells.ts';

it.each(['float32', 'float64'] as const)(
  'compares a looked-up %s with the bounds that its store rounded, whatever rows are beside it',
  (dtype) => {
    const feature = { name: 'rate', nullable: false, range: [0.7, 1.1] } as const;
    const [low, high] = [Math.fround(0.7), Math.fround(1.1)];
    const rows: readonly (readonly ['put' | 'write', number])[] = [
      ['put', low],
      ['put', high],
      ['put', 0.75],
      ['put', 1.2],
      ['put', 1.100000001],
      ['write', 1.1],
      ['write', high],
      ['write', low],
    ];
    const cells = createCells({ features: [{ feature, dtype }], rows: rows.length, text: 10 } as never);
    for (const [row, [how, value]] of rows.entries()) cells[how](0, row, value);
    const signature = { inputs: [{ name: 'x', dtype, features: [feature] }] };
    const encoder = createEncoder(signature as never, [{ name: 'rate', type: 'DOUBLE' }] as never, rows.length);
    const rejected = new Int32Array(rows.length);
    encoder.encode(cells.batch(), 0, rejected);
    expect([...rejected].map((code) => (code === 0 ? undefined : readRejection(code).reason))).toEqual([
      ...[undefined, undefined, undefined],
      ...['feature out of range', 'feature out of range'],
      ...[undefined, 'feature out of range', 'feature out of range'],
    ]);
    expect([...(encoder.tensors(2)[0]?.values ?? [])]).toEqual([low, high]);
  },
);
