import { cp } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readModel } from '../../src/runtime/model-file.ts';
import { openSession, type Session } from '../../src/runtime/session.ts';
import { repository, temporaryFolder } from '../support/project.ts';

const CPU = { providers: ['cpu'], requireGpu: false };

async function open(model: string): Promise<Session> {
  return await openSession(await readModel(repository('test', 'fixtures', 'models', model, 'model.onnx')), CPU);
}

function features(rows: number) {
  return [{ name: 'features', dtype: 'float32' as const, values: new Float32Array(rows * 2), shape: [rows, 2] }];
}

it('gives one value per row of the output that was asked for', async () => {
  const session = await open('linear');
  const { values, width } = await session.run(features(3), { name: 'score', index: 0 });
  expect([...values]).toEqual([0.5, 0.5, 0.5]);
  expect(width).toBe(1);
  await session.close();
});

it('a model that fails on its input is a matter of configuration, with what the runtime says', async () => {
  const session = await open('rank3');
  await expect(session.run(features(9), { name: 'score', index: 0 })).rejects.toMatchObject({
    kind: 'configuration',
    message: 'the model failed on a batch of 9 rows',
    details: [expect.stringMatching(/Invalid rank for input: features Got: 2 Expected: 3/)],
  });
  await session.close();
});

it('an index beyond the output is refused and does not read the next row', async () => {
  const session = await open('linear');
  await expect(session.run(features(3), { name: 'score', index: 1 })).rejects.toMatchObject({ kind: 'configuration' });
  await session.close();
});

it('a file that is another one than it was when it was checked is not loaded', async () => {
  const file = path.join(await temporaryFolder(), 'model.onnx');
  await cp(repository('test', 'fixtures', 'models', 'linear', 'model.onnx'), file);
  const model = await readModel(file);
  await cp(repository('test', 'fixtures', 'models', 'slow', 'model.onnx'), file);
  await expect(openSession(model, CPU)).rejects.toMatchObject({
    kind: 'configuration',
    message: expect.stringContaining('changed after it was checked'),
  });
});
