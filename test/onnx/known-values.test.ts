import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeMessage } from '../../src/onnx/encode.ts';
import { type KnownValues, knownValues } from '../../src/onnx/known-values.ts';
import { field, varint } from '../support/onnx.ts';
import { repository } from '../support/project.ts';

const WIDE = [{ name: 'texts', width: 3 }];
const NAMED = ['plan', 'country', 'words'].map((name) => ({ name, width: 1 }));
const ALL = [
  ['No', 'Yes'],
  ['DE', 'FR', 'US'],
  ['aa here', 'bb here'],
];

const textsOf = (found: readonly KnownValues[]) => found.map(({ texts }) => texts);
const fixture = (...parts: string[]) => readFileSync(repository('test', 'fixtures', ...parts));

describe('models as skl2onnx writes them', () => {
  it.each([
    ['one-hot', WIDE],
    ['ordinal', WIDE],
    ['picked', WIDE],
    ['imputed', WIDE],
    ['named', NAMED],
  ])('%s: the texts of every column', (name, inputs) => {
    expect(textsOf(knownValues(fixture('texts', `${name}.onnx`), inputs))).toEqual(ALL);
  });

  it('text that is split into words is not taken for categories', () => {
    expect(knownValues(fixture('texts', 'words.onnx'), NAMED)).toMatchObject([
      { texts: ALL[0] },
      { texts: ALL[1] },
      { texts: undefined, notes: ['read by StringNormalizer'] },
    ]);
  });

  it('a comparison with one text is told and not taken for all categories', () => {
    const inputs = [
      { name: 'plan', width: 1 },
      { name: 'logins', width: 1 },
    ];
    expect(knownValues(fixture('models', 'strings', 'model.onnx'), inputs)[0]).toMatchObject({
      texts: undefined,
      notes: ['compared with "pro"'],
    });
  });
});

it('tells the codes of a categorical feature that the trees of LightGBM test for equality', () => {
  const known = knownValues(fixture('trees', 'lightgbm-categorical', 'model.onnx'), [{ name: 'features', width: 4 }]);
  expect(known.map(({ codes }) => codes)).toMatchInlineSnapshot(`
    [
      [],
      [],
      [],
      [
        0,
        1,
        2,
        3,
        4,
        5,
      ],
    ]
  `);
});

describe('graphs of other makers', () => {
  const attribute = (name: string, ...parts: Buffer[]) => field(5, [field(1, name), ...parts]);
  const texts = (name: string, list: readonly string[]) => attribute(name, ...list.map((text) => field(9, text)));
  const integer = (name: string, value: number) => attribute(name, field(3, value));
  /** -1, which protobuf writes as its 64 bits. */
  const minusOne = (name: string) => attribute(name, Buffer.from([3 * 8, ...Array<number>(9).fill(255), 1]));
  const strings = (list: readonly string[]) => Buffer.concat([field(2, 8), ...list.map((text) => field(6, text))]);
  const int64s = (name: string, values: readonly number[]) =>
    field(5, [field(2, 7), field(7, Buffer.concat(values.map(varint))), field(8, name)]);
  const node = (operator: string, inputs: string[], outputs: string[], ...attributes: Buffer[]) =>
    field(1, [nodeMessage({ operator, inputs, outputs }, operator), ...attributes]);
  const modelOf = (...parts: Buffer[]) => field(7, parts);
  const [no, yes] = [['No'], ['Yes']];

  it.each<[string, Buffer, (readonly string[] | undefined)[]]>([
    [
      'Split into columns of equal width, one of them mapped',
      modelOf(
        node('Split', ['texts'], ['a', 'b', 'c'], integer('axis', 1)),
        node('CategoryMapper', ['b'], ['out'], texts('cats_strings', yes)),
      ),
      [undefined, yes, undefined],
    ],
    [
      'Split by sizes',
      modelOf(
        int64s('sizes', [1, 2]),
        node('Split', ['texts', 'sizes'], ['a', 'bc'], integer('axis', 1)),
        node('OneHotEncoder', ['bc'], ['out'], texts('cats_strings', no)),
      ),
      [undefined, no, no],
    ],
    [
      'LabelEncoder with keys in a tensor, behind a Concat along the last axis',
      modelOf(
        int64s('last', [2]),
        node('Gather', ['texts', 'last'], ['c'], integer('axis', 1)),
        node('Concat', ['c', 'c'], ['cc'], minusOne('axis')),
        node('LabelEncoder', ['cc'], ['out'], attribute('keys_tensor', field(5, strings(yes)))),
      ),
      [undefined, undefined, yes],
    ],
    [
      'Gather of rows, which does not choose columns',
      modelOf(
        int64s('first', [0]),
        node('Gather', ['texts', 'first'], ['row'], integer('axis', 0)),
        node('OneHotEncoder', ['row'], ['out'], texts('cats_strings', no)),
      ),
      [undefined, undefined, undefined],
    ],
    [
      'two encoders of which each knows what the other does not',
      modelOf(
        node('OneHotEncoder', ['texts'], ['a'], texts('cats_strings', ['No', 'Yes'])),
        node('OneHotEncoder', ['texts'], ['b'], texts('cats_strings', ['Yes', 'Maybe'])),
      ),
      [yes, yes, yes],
    ],
  ])('%s', (_, bytes, expected) => {
    expect(textsOf(knownValues(bytes, WIDE))).toEqual(expected);
  });

  it('an axis of -2 is not the last one', () => {
    const minusTwo = attribute('axis', Buffer.from([3 * 8, 254, ...Array<number>(8).fill(255), 1]));
    const bytes = modelOf(
      node('Concat', ['texts', 'texts'], ['longer'], minusTwo),
      node('OneHotEncoder', ['longer'], ['out'], texts('cats_strings', no)),
    );
    expect(knownValues(bytes, WIDE)[0]).toMatchObject({ texts: undefined, notes: ['read by Concat'] });
  });

  it('a value that is joined with itself again and again is not followed for ever', () => {
    const joins = Array.from({ length: 60 }, (_, i) =>
      node('Concat', [i === 0 ? 'texts' : `v${i}`, i === 0 ? 'texts' : `v${i}`], [`v${i + 1}`], integer('axis', 1)),
    );
    expect(knownValues(modelOf(...joins), WIDE)[0]).toMatchObject({ texts: undefined, notes: ['read by Concat'] });
  });
});

it('bytes that are broken are refused as no model, or read as something', () => {
  const whole = fixture('texts', 'imputed.onnx');
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), (changes) => {
      const broken = Buffer.from(whole);
      for (const [at, byte] of changes) broken[at] = byte;
      try {
        expect(knownValues(broken, WIDE)).toHaveLength(3);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 300 },
  );
});
