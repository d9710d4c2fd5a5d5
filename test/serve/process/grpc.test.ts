import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import { expect, it, onTestFinished } from 'vitest';
import { repository } from '../../support/project.ts';
import { edit, isAlive, startServer } from './server.ts';

const REQUEST = {
  model_name: 'iris',
  inputs: [{ name: 'measurements', datatype: 'FP32', shape: [1, 4], contents: { fp32_contents: [5.1, 3.5, 1.4, 0.2] } }],
};

type Infer = (request: object, done: (error: grpc.ServiceError | null, answer?: { model_version: string }) => void) => void;

/** Calls one after the other over one channel, until it is stopped. */
function startCalls(address: string) {
  const proto = path.join(repository(), 'src/serve/grpc/open_inference_grpc.proto');
  const definition = grpc.loadPackageDefinition(loader.loadSync(proto, { keepCase: true, longs: String })) as never as {
    inference: { GRPCInferenceService: new (...args: unknown[]) => grpc.Client & { modelInfer: Infer } };
  };
  const client = new definition.inference.GRPCInferenceService(address, grpc.credentials.createInsecure());
  onTestFinished(() => client.close());
  const versions = new Set<string>();
  const failures: string[] = [];
  let answered = 0;
  let stopped = false;
  const call = async (): Promise<void> => {
    while (!stopped) {
      try {
        const answer = await new Promise<{ model_version: string }>((resolve, reject) => {
          client.modelInfer(REQUEST, (error, given) => (error ? reject(error) : resolve(given as { model_version: string })));
        });
        versions.add(answer.model_version);
        answered += 1;
      } catch (error) {
        failures.push(String(error));
        await sleep(50);
      }
    }
  };
  const calling = Promise.all([call(), call(), call(), call()]);
  const stop = async () => {
    stopped = true;
    await calling;
    return { versions: [...versions], failures, answered };
  };
  return { stop, answered: () => answered };
}

it('answers every call over gRPC during a reload, and until a client is told to go', async () => {
  const server = await startServer('processes: 2\ngrpc_port: 0\n');
  const [, address = ''] = /and (\S+) \(gRPC\)/.exec(server.stderr()) ?? [];
  const calls = startCalls(address);
  const before = await server.processes();
  await sleep(500);
  await edit(server, 'iris/model.yaml', /version: "2026-11-27"/, 'version: "2026-12-01"');
  server.signal('SIGHUP');
  await server.says(/^reloaded; /m);
  while (before.some(isAlive)) await sleep(50);
  await sleep(300);
  const answered = calls.answered();
  server.signal('SIGTERM');
  await sleep(600);
  const { versions, failures, answered: all } = await calls.stop();
  expect(failures).toEqual([]);
  expect(versions).toEqual(['2026-11-27', '2026-12-01']);
  expect(all).toBeGreaterThan(answered);
  expect((await server.ended).code).toBe(0);
}, 120_000);
