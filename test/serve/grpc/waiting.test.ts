import { expect, it, onTestFinished } from 'vitest';
import { ServeFailure } from '../../../src/serve/failure.ts';
import { startGrpc } from '../../../src/serve/grpc/start.ts';
import type { ScoreRequest } from '../../../src/serve/online-model.ts';
import type { Observation } from '../../../src/serve/service.ts';
import { IRIS, served } from '../served.ts';
import { clientOf, failure } from './client.ts';

const REQUEST = {
  model_name: 'iris',
  inputs: [{ name: 'measurements', datatype: 'FP32', shape: [1, 4], contents: { fp32_contents: [5.1, 3.5, 1.4, 0.2] } }],
};

/** A server whose model scores only once somebody no longer waits. */
async function waiting() {
  const { service } = await served([IRIS]);
  const [model] = service.models.list();
  if (model === undefined) throw new Error('there is no model');
  const asked: (ScoreRequest & { readonly at: number })[] = [];
  const observed: Observation[] = [];
  let gone: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    gone = resolve;
  });
  const slow = {
    ...model,
    score(request: ScoreRequest) {
      asked.push({ ...request, at: performance.now() });
      return new Promise<never>((_, reject) => {
        request.signal?.addEventListener('abort', () => {
          reject(new ServeFailure('gone', 'nobody waits'));
          gone();
        });
      });
    },
  };
  const models = { list: () => [slow], find: () => slow };
  const server = await startGrpc({
    ...service,
    models,
    settings: { ...service.settings, grpcPort: 0 },
    observe: (observation) => observed.push(observation),
  });
  onTestFinished(() => server.close());
  return { client: clientOf(server.address), asked, observed, left };
}

it('hands the deadline of a call to the model, and ends with it', async () => {
  const { client, asked, left } = await waiting();
  const failed = await failure(client.infer(REQUEST, { deadline: Date.now() + 400 }));
  expect(failed.code).toBe('DEADLINE_EXCEEDED');
  await left;
  const [{ deadline, at } = { deadline: undefined, at: 0 }] = asked;
  expect((deadline ?? 0) - at).toBeGreaterThan(0);
  expect((deadline ?? 0) - at).toBeLessThan(401);
});

it('does not wait for a client that has cancelled', async () => {
  const { client, asked, observed, left } = await waiting();
  const call = client.start('ModelInfer', REQUEST);
  while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(asked[0]?.deadline).toBeUndefined();
  call.cancel();
  await left;
  await new Promise((resolve) => setImmediate(resolve));
  expect(observed).toMatchObject([{ protocol: 'grpc', outcome: 'gone', model: { name: 'iris' }, rows: 1 }]);
});
