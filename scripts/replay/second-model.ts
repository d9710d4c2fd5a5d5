import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** The model's tensor `one`, which is added before the logarithm: four bytes of raw data, 1.0. */
const ONE = Buffer.from([0x4a, 0x04, 0x00, 0x00, 0x80, 0x3f]);
const INSTEAD = 1.5;

/**
 * Copies the churn bundle with a different number in its graph, so that nearly every score differs. Updates the golden scores.
 */
export async function writeSecondModel(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true });
  const model = path.join(to, 'model.onnx');
  const bytes = await readFile(model);
  const at = bytes.indexOf(ONE);
  if (at < 0 || bytes.indexOf(ONE, at + 1) >= 0) throw new Error('the churn model has not exactly one tensor [1]');
  bytes.writeFloatLE(INSTEAD, at + 2);
  await writeFile(model, bytes);
  const yaml = await readFile(path.join(to, 'model.yaml'), 'utf8');
  const digest = createHash('sha256').update(bytes).digest('hex');
  await writeFile(
    path.join(to, 'model.yaml'),
    yaml.replace(/^version: .*$/m, 'version: "1997-02-10"').replace(/^sha256: "\w+"/m, `sha256: "${digest}"`),
  );
  await writeGolden(path.join(to, 'golden.csv'), bytes);
}

async function writeGolden(file: string, bytes: Buffer): Promise<void> {
  const [header = '', ...lines] = (await readFile(file, 'utf8')).trim().split('\n');
  const rows = lines.map((line) => line.split(',').slice(0, -1));
  const width = header.split(',').length - 1;
  const session = await InferenceSession.create(bytes);
  const values = Float32Array.from(rows.flat().map((text) => (text === '' ? 0 : Number(text))));
  const outputs = await session.run({ features: new Tensor('float32', values, [rows.length, width]) });
  const probabilities = outputs.probabilities?.data as Float32Array;
  const scored = rows.map((row, i) => [...row, (probabilities[2 * i + 1] ?? Number.NaN).toFixed(9)].join(','));
  await writeFile(file, `${[header, ...scored].join('\n')}\n`);
  await session.release();
}
