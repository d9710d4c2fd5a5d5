import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Serving, startServing } from '../../../src/serve/process/serving.ts';
import { repository } from '../../support/project.ts';
import { IRIS, settingsOf } from '../served.ts';
import { bytesOf, bytesOfArray, type Input, inferAt, read, textBytes } from './v2-client.ts';

let serving: Serving;
let http: string;

beforeAll(async () => {
  serving = await startServing(settingsOf([IRIS, repository('test/fixtures/tips')]));
  http = serving.addresses.http;
});
afterAll(() => serving.close());

const BINARY = { parameters: { binary_data_output: true } };

/** Scores the same rows in several forms; every output must have the same bytes. */
async function sameBits(model: string, outputs: readonly string[], forms: readonly (readonly Input[])[]): Promise<Buffer[]> {
  const answers = [];
  for (const [i, inputs] of forms.entries()) {
    // Names of different lengths move the binary part, so that its numbers are aligned in some requests only.
    answers.push(read(await inferAt(http, model, inputs, { id: 'x'.repeat(i), ...(i % 2 === 0 ? {} : BINARY) })));
  }
  const [first = [], ...others] = answers.map((answer) => outputs.map((name) => bytesOf(answer, name)));
  for (const other of others) expect(other).toEqual(first);
  return first;
}

// In range, at its ends, outside, next to 0, and zeros of both signs.
const size = fc.oneof(
  { arbitrary: fc.float({ min: Math.fround(0.1), max: 10, noNaN: true }), weight: 9 },
  fc.constantFrom(0.1, 20, 20.000002, 0, -0, 1e-45, -1, 3e38).map(Math.fround),
);
const flowers = fc.array(fc.tuple(size, size, size, size), { minLength: 1, maxLength: 9 });

it('gives the same bits for flat, nested and binary tensors, whole or by feature', async () => {
  let rejected = 0;
  let scored = 0;
  await fc.assert(
    fc.asyncProperty(flowers, async (rows) => {
      const n = rows.length;
      const whole = { name: 'measurements', datatype: 'FP32', shape: [n, 4] };
      const flat = rows.flat();
      const features = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'].map((name, i) => ({
        name,
        values: rows.map((row) => row[i] as number),
      }));
      const reasons = await sameBits(
        'iris',
        ['rejected', 'probabilities', 'label'],
        [
          [{ ...whole, data: flat }],
          [{ ...whole, data: flat }],
          [{ ...whole, data: rows }],
          [{ ...whole, bytes: bytesOfArray(Float32Array.from(flat)) }],
          [{ ...whole, bytes: bytesOfArray(Float32Array.from(flat)) }],
          features.map(({ name, values }) => ({ name, datatype: 'FP32', shape: [n], data: values })),
          features.map(({ name, values }, i) => ({
            name,
            datatype: 'FP32',
            shape: i % 2 === 0 ? [n, 1] : [n],
            ...(i === 3 ? { data: values } : { bytes: bytesOfArray(Float32Array.from(values)) }),
          })),
        ],
      );
      const texts = textsOf(reasons[0] as Buffer);
      rejected += texts.filter((text) => text !== '').length;
      scored += texts.filter((text) => text === '').length;
    }),
    { numRuns: 40 },
  );
  expect(Math.min(rejected, scored)).toBeGreaterThan(5);
});

const bill = fc.record({
  total_bill: fc.double({ min: -1, max: 1001, noNaN: true }),
  size: fc.integer({ min: 0, max: 51 }),
  bill_per_head: fc.float({ min: 0, max: 1000, noNaN: true }),
  smoker: fc.boolean(),
  day: fc.constantFrom('Thur', 'Fri', 'Sat', 'Sun', 'Mon', '', 'søndag \u{1f37d}'),
  time: fc.constantFrom('Lunch', 'Dinner', 'Brunch'),
});

it('gives the same bits for doubles, integers, booleans and texts in every form that holds them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(bill, { minLength: 1, maxLength: 9 }), async (rows) => {
      const n = rows.length;
      const column = <K extends keyof (typeof rows)[number]>(name: K) => rows.map((row) => row[name]);
      const json = (datatypes: Record<keyof (typeof rows)[number], string>, shape: number[]): Input[] =>
        Object.entries(datatypes).map(([name, datatype]) => {
          const values = column(name as keyof typeof datatypes) as unknown[];
          return { name, datatype, shape, data: shape.length === 1 ? values : values.map((value) => [value]) };
        });
      const wide = { total_bill: 'FP64', size: 'INT64', bill_per_head: 'FP64', smoker: 'BOOL', day: 'BYTES', time: 'BYTES' };
      const narrow = { ...wide, size: 'UINT8', bill_per_head: 'FP32' };
      const binary: Input[] = [
        { name: 'day', datatype: 'BYTES', shape: [n], bytes: textBytes(column('day')) },
        { name: 'smoker', datatype: 'BOOL', shape: [n, 1], bytes: bytesOfArray(Uint8Array.from(column('smoker'), Number)) },
        { name: 'total_bill', datatype: 'FP64', shape: [n], bytes: bytesOfArray(Float64Array.from(column('total_bill'))) },
        { name: 'time', datatype: 'BYTES', shape: [n, 1], bytes: textBytes(column('time')) },
        { name: 'size', datatype: 'INT64', shape: [n], bytes: bytesOfArray(BigInt64Array.from(column('size'), BigInt)) },
        {
          name: 'bill_per_head',
          datatype: 'FP32',
          shape: [n],
          bytes: bytesOfArray(Float32Array.from(column('bill_per_head'))),
        },
      ];
      const short = binary.map((input) =>
        input.name === 'size' ? { ...input, datatype: 'INT32', bytes: bytesOfArray(Int32Array.from(column('size'))) } : input,
      );
      const forms = [json(wide, [n]), json(wide, [n, 1]), json(narrow, [n]), binary, short, json(narrow, [n, 1])];
      await sameBits('tips', ['rejected', 'score'], forms);
    }),
    { numRuns: 40 },
  );
});

function textsOf(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    texts.push(bytes.subarray(at + 4, at + 4 + length).toString());
    at += 4 + length;
  }
  return texts;
}
