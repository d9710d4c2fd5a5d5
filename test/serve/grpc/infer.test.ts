import { expect, it } from 'vitest';
import { IRIS, served } from '../served.ts';
import { clientOf } from './client.ts';

const FLOWERS = [5.1, 3.5, 1.4, 0.2, 6.7, 3.0, 5.2, 2.3];
const MEASUREMENTS = { name: 'measurements', datatype: 'FP32', shape: [2, 4] };

async function iris() {
  const { addresses } = await served([IRIS], { grpcPort: 0 });
  return clientOf(addresses.grpc);
}

function raw(values: readonly number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}

it('answers typed contents with typed contents, raw ones with raw ones, with the same bits', async () => {
  const client = await iris();
  const request = { model_name: 'iris', id: 'flower 7' };
  const typed = await client.infer({ ...request, inputs: [{ ...MEASUREMENTS, contents: { fp32_contents: FLOWERS } }] });
  const bytes = await client.infer({ ...request, inputs: [MEASUREMENTS], raw_input_contents: [raw(FLOWERS)] });
  expect(typed).toMatchObject({ model_name: 'iris', model_version: '2026-11-27', id: 'flower 7', raw_output_contents: [] });
  expect(typed.outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }))).toEqual([
    { name: 'label', datatype: 'BYTES', shape: ['2'] },
    { name: 'probabilities', datatype: 'FP32', shape: ['2', '3'] },
    { name: 'rejected', datatype: 'BYTES', shape: ['2'] },
  ]);
  const [label, probabilities, rejected] = typed.outputs.map(({ contents }) => contents);
  expect(label?.bytes_contents?.map(String)).toEqual(['setosa', 'virginica']);
  expect(rejected?.bytes_contents?.map(String)).toEqual(['', '']);
  expect(bytes.outputs.map(({ contents }) => contents)).toEqual([null, null, null]);
  expect(bytes.raw_output_contents[1]).toEqual(raw(probabilities?.fp32_contents as number[]));
  expect(bytes.raw_output_contents[0]).toEqual(Buffer.from('\x06\0\0\0setosa\x09\0\0\0virginica'));
});
