import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { expect, it, vi } from 'vitest';
import { loadServing } from '../../../src/serve/process/serving.ts';
import { temporaryFolder } from '../../support/project.ts';
import { clientOf } from '../grpc/client.ts';
import { get, post } from '../http/request.ts';
import { dataOf, inferAt, read } from '../http/v2-client.ts';
import { CHURN, IRIS, served, settingsOf } from '../served.ts';

const ROW = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const VALUES = Object.values(ROW);

it('opens no session and reads no file of a bundle once it listens', async () => {
  const folder = await temporaryFolder();
  const folders = [IRIS, CHURN].map((from, at) => [from, path.join(folder, String(at))] as const);
  for (const [from, to] of folders) await cp(from, to, { recursive: true });
  const create = vi.spyOn(InferenceSession, 'create');
  const serving = await served(
    folders.map(([, to]) => to),
    { grpcPort: 0 },
  );
  // The spy sees those that are opened before.
  const opened = create.mock.calls.length;
  expect(opened).toBeGreaterThanOrEqual(4);
  await rm(folder, { recursive: true });

  const { http, grpc } = serving.addresses;
  const client = clientOf(grpc);
  const [iris, churn] = serving.service.models.list();
  const most = iris?.maxRows ?? 0;
  for (let round = 0; round < 5; round += 1) {
    const rows = [ROW, { ...ROW, petal_width: 99 }];
    const { json } = await post(serving, '/v1/models/iris/predict', { rows });
    expect(json.predictions).toHaveLength(2);
    const columns = [{ name: 'measurements', datatype: 'FP32', shape: [1, 4] }] as const;
    expect(dataOf(read(await inferAt(http, 'iris', [{ ...columns[0], data: VALUES }])), 'label')).toEqual(['setosa']);
    const contents = { fp32_contents: VALUES };
    expect((await client.infer({ model_name: 'iris', inputs: [{ ...columns[0], contents }] })).outputs).toHaveLength(3);
    const many = Array.from({ length: most }, () => VALUES).flat();
    const large = [{ name: 'measurements', datatype: 'FP32', shape: [most, 4], data: many }];
    expect(dataOf(read(await inferAt(http, 'iris', large)), 'label')).toHaveLength(most);
    expect((await post(serving, '/v1/models/iris/predict', { rows: [{ ...ROW, petal_width: 'wide' }] })).status).toBe(400);
    expect((await get(serving, `/v2/models/${churn?.name}`)).status).toBe(200);
    expect(JSON.stringify((await get(serving, '/openapi.json')).json)).toContain('iris');
  }
  // Examples are golden rows.
  const { json } = await get(serving, '/served.json');
  for (const { examples } of json.models) expect(examples.length).toBeGreaterThan(0);
  expect(create.mock.calls.length).toBe(opened);
});

it('takes as many rows as it is told, in every protocol', async () => {
  const log = { warn: () => undefined, debug: () => undefined, bug: () => undefined };
  const serving = await (await loadServing(settingsOf([IRIS]), { log })).listen([3]);
  try {
    const rows = (count: number) => ({ rows: Array.from({ length: count }, () => ROW) });
    expect((await post(serving, '/v1/models/iris/predict', rows(3))).status).toBe(200);
    expect((await post(serving, '/v1/models/iris/predict', rows(4))).status).toBe(413);
    const tensors = (count: number) => [
      { name: 'measurements', datatype: 'FP32', shape: [count, 4], data: Array.from({ length: count }, () => VALUES).flat() },
    ];
    expect((await inferAt(serving.addresses.http, 'iris', tensors(3))).status).toBe(200);
    expect((await inferAt(serving.addresses.http, 'iris', tensors(4))).status).toBe(413);
    expect((await get(serving, '/v2/models/iris')).json.properties.max_rows).toBe('3');
  } finally {
    await serving.close();
  }
});

it('does not become ready again where it is replaced while it ends', async () => {
  const serving = await served([IRIS], { drain: { leadMs: 300, endMs: 300 } });
  const ending = serving.leave('ending');
  expect(serving.service.ready()).toBe(false);
  const replaced = serving.leave('replaced');
  expect(serving.service.ready()).toBe(false);
  await Promise.all([ending, replaced]);
});
