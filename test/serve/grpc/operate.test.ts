import { once } from 'node:events';
import http2 from 'node:http2';
import { createServer } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { expect, it, onTestFinished } from 'vitest';
import { startGrpc } from '../../../src/serve/grpc/start.ts';
import { VERSION } from '../../../src/versions.ts';
import { IRIS, served } from '../served.ts';
import { clientOf, failure } from './client.ts';

interface Checked {
  readonly status: string;
}

function healthOf(address: string) {
  const definitions = loadSync(protoPath, { enums: String });
  const grpcPackage = grpc.loadPackageDefinition(definitions).grpc as unknown as {
    health: { v1: { Health: grpc.ServiceClientConstructor } };
  };
  const stub = new grpcPackage.health.v1.Health(address, grpc.credentials.createInsecure());
  onTestFinished(() => stub.close());
  const check = (service: string) =>
    new Promise<string>((resolve, reject) => {
      const send = stub.check as unknown as (request: object, done: (error: Error | null, answer: Checked) => void) => void;
      send.call(stub, { service }, (error, { status } = { status: '' }) => (error ? reject(error) : resolve(status)));
    });
  const watch = stub.watch as unknown as (request: object) => grpc.ClientReadableStream<Checked>;
  return { check, watch: () => watch.call(stub, { service: 'inference.GRPCInferenceService' }) };
}

/** A gRPC server beside the one for HTTP, whose readiness the test sets. */
async function steered() {
  const { service } = await served([IRIS]);
  const state = { ready: true, draining: false };
  const settings = { ...service.settings, grpcPort: 0 };
  const server = await startGrpc({ ...service, settings, ready: () => state.ready, draining: () => state.draining });
  onTestFinished(() => server.close());
  return { state, server, client: clientOf(server.address), health: healthOf(server.address) };
}

it('says what it is and what it serves', async () => {
  const { client } = await steered();
  expect(await client.call('ServerLive', {})).toEqual({ live: true });
  expect(await client.call('ServerReady', {})).toEqual({ ready: true });
  expect(await client.call('ModelReady', { name: 'iris' })).toEqual({ ready: true });
  expect(await client.call('ServerMetadata', {})).toEqual({ name: 'score-batch', version: VERSION, extensions: [] });
  const metadata = await client.call('ModelMetadata', { name: 'iris' });
  expect(metadata).toMatchObject({
    name: 'iris',
    versions: ['2026-11-27'],
    platform: 'onnx_onnxv1',
    inputs: ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'].map((name) => ({
      name,
      datatype: 'FP32',
      shape: ['-1'],
    })),
    outputs: [{ name: 'label' }, { name: 'probabilities', datatype: 'FP32', shape: ['-1', '3'] }, { name: 'rejected' }],
    properties: { version: '2026-11-27' },
  });
  expect(await client.call('ModelMetadata', { name: 'iris', version: '2026-11-27' })).toEqual(metadata);
  for (const method of ['ModelReady', 'ModelMetadata'])
    expect(await failure(client.call(method, { name: 'irish' }))).toMatchObject({ code: 'NOT_FOUND' });
});

it('tells probes and watchers whether it is ready', async () => {
  const { state, client, health } = await steered();
  const seen: string[] = [];
  const watcher = health.watch();
  watcher.on('data', ({ status }: Checked) => seen.push(status)).on('error', () => undefined);
  for (const service of ['', 'inference.GRPCInferenceService']) expect(await health.check(service)).toBe('SERVING');
  await expect(health.check('inference.Other')).rejects.toThrow('NOT_FOUND');
  state.ready = false;
  expect(await health.check('')).toBe('NOT_SERVING');
  expect(await client.call('ServerReady', {})).toEqual({ ready: false });
  expect(await client.call('ModelReady', { name: 'iris' })).toEqual({ ready: false });
  state.ready = true;
  expect(await health.check('')).toBe('SERVING');
  state.draining = true;
  expect(await health.check('inference.GRPCInferenceService')).toBe('NOT_SERVING');
  state.draining = false;
  await expect.poll(() => seen).toEqual(['SERVING', 'NOT_SERVING', 'SERVING', 'NOT_SERVING', 'SERVING']);
  watcher.cancel();
});

it('sends its clients elsewhere, and still answers those who come', async () => {
  const { server, client } = await steered();
  await client.call('ServerLive', {});
  const session = http2.connect(`http://${server.address}`);
  onTestFinished(() => session.close());
  await once(session, 'remoteSettings');
  const goaway = once(session, 'goaway');
  server.drain(10_000);
  const [code] = (await goaway) as [number];
  expect(code).toBe(http2.constants.NGHTTP2_NO_ERROR);
  expect(await client.call('ServerLive', {})).toEqual({ live: true });
});

it('closes although somebody watches, and frees its port', async () => {
  const { server, client, health } = await steered();
  await client.call('ServerLive', {});
  const watcher = health.watch();
  const ended = new Promise<grpc.ServiceError>((resolve) => watcher.on('error', resolve));
  watcher.on('data', () => undefined);
  await once(watcher, 'data');
  const begin = performance.now();
  await server.close();
  // Without that, the watcher holds it for `drain.endMs`.
  expect(performance.now() - begin).toBeLessThan(900);
  expect(await ended).toMatchObject({ code: grpc.status.UNAVAILABLE, details: 'the server is shutting down' });
  expect(await failure(client.call('ServerLive', {}))).toMatchObject({ code: 'UNAVAILABLE' });
  const listener = createServer().listen(Number(server.address.split(':')[1]), '127.0.0.1');
  await once(listener, 'listening');
  listener.close();
});

it('says which port is taken', async () => {
  const { server } = await steered();
  const grpcPort = Number(server.address.split(':')[1]);
  await expect(served([IRIS], { grpcPort })).rejects.toMatchObject({
    name: 'ScoreBatchError',
    kind: 'unavailable',
    message: `gRPC cannot listen on ${server.address}`,
    details: [expect.stringContaining('EADDRINUSE')],
  });
});
