import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Trains the model anew, as it were: another weight of `a`, other golden scores, version 2. */
export async function trainAgain(folder: string, yaml: (text: string) => string = (text) => text): Promise<void> {
  const file = path.join(folder, 'model/model.onnx');
  const bytes = await readFile(file);
  const half = Buffer.from(new Float32Array([0.5]).buffer);
  bytes.writeFloatLE(0.75, bytes.indexOf(half));
  await writeFile(file, bytes);
  const digest = createHash('sha256').update(bytes).digest('hex');
  await edit(folder, 'model/model.yaml', (text) =>
    yaml(text.replace('version: "1"', 'version: "2"').replace(/sha256: "\w+"/, `sha256: "${digest}"`)),
  );
  await edit(folder, 'model/golden.csv', (text) =>
    text
      .split('\n')
      .map((line, i) => {
        const [a, b] = line.split(',');
        return i === 0 || line === '' ? line : `${a},${b},${1 / (1 + Math.exp(-0.75 * Number(a) + 0.25 * Number(b)))}`;
      })
      .join('\n'),
  );
}

async function edit(folder: string, file: string, change: (text: string) => string): Promise<void> {
  const name = path.join(folder, file);
  await writeFile(name, change(await readFile(name, 'utf8')));
}
