import { once } from 'node:events';
import http2 from 'node:http2';
import { createConnection, type Socket } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { expect, it, onTestFinished } from 'vitest';
import { IRIS, served } from '../served.ts';
import { clientOf } from './client.ts';

const ROW = [5.1, 3.5, 1.4, 0.2];
const requestOf = (rows: number) => ({
  model_name: 'iris',
  inputs: [
    {
      name: 'measurements',
      datatype: 'FP32',
      shape: [rows, 4],
      contents: { fp32_contents: Array.from({ length: rows }, () => ROW).flat() },
    },
  ],
});

interface Watching {
  readonly status: string;
}

/** A client that watches the health of a server over a connection of its own. @returns what ends the watch */
function watch(address: string): { first: Promise<string>; cancel(): void } {
  const { health } = grpc.loadPackageDefinition(loadSync(protoPath, { enums: String })).grpc as unknown as {
    health: { v1: { Health: grpc.ServiceClientConstructor } };
  };
  const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_retries': 0 };
  const stub = new health.v1.Health(address, grpc.credentials.createInsecure(), options);
  onTestFinished(() => stub.close());
  const start = stub.watch as unknown as (request: object) => grpc.ClientReadableStream<Watching>;
  const stream = start.call(stub, { service: '' });
  const first = new Promise<string>((resolve) => {
    stream.on('data', ({ status }) => resolve(status));
    stream.on('error', (error) => resolve(grpc.status[(error as grpc.ServiceError).code] ?? ''));
  });
  return { first, cancel: () => stream.cancel() };
}

it('takes as many connections as it is told, and more once some have gone', async () => {
  const { addresses } = await served([IRIS], { grpcPort: 0, limits: { connections: 3 } });
  const [host, port] = (addresses.grpc ?? '').split(':');
  const open: Socket[] = [];
  for (let at = 0; at < 3; at += 1) {
    const socket = createConnection(Number(port), host).on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    // The settings of the server.
    await once(socket, 'data');
    open.push(socket);
  }
  for (let at = 0; at < 20; at += 1) {
    const more = createConnection(Number(port), host).on('error', () => undefined);
    let said = 0;
    more.on('data', ({ length }) => (said += length));
    await once(more, 'close');
    expect(said).toBe(0);
  }
  const refused = clientOf(addresses.grpc).call('ServerLive', {}, { deadline: Date.now() + 1000 });
  await expect(refused).rejects.toThrow(/UNAVAILABLE|DEADLINE_EXCEEDED/);
  open[0]?.destroy();
  const client = clientOf(addresses.grpc);
  await expect
    .poll(() => client.call('ServerLive', {}, { deadline: Date.now() + 2000 }).catch(() => undefined), { timeout: 10_000 })
    .toEqual({ live: true });
});

it('lets no more watch its health at once than it takes connections, and answers others meanwhile', async () => {
  const { addresses } = await served([IRIS], { grpcPort: 0, limits: { connections: 8 } });
  const address = addresses.grpc ?? '';
  const few = Array.from({ length: 2 }, () => watch(address));
  expect(await Promise.all(few.map(({ first }) => first))).toEqual(['SERVING', 'SERVING']);
  const session = http2.connect(`http://${address}`).on('error', () => undefined);
  onTestFinished(() => session.destroy());
  const statuses = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/grpc.health.v1.Health/Watch',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('error', () => undefined);
      // An empty message.
      stream.end(Buffer.alloc(5));
      const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
      return headers['grpc-status'];
    }),
  );
  // 8 is RESOURCE_EXHAUSTED.
  expect(statuses.filter((status) => status === '8')).toHaveLength(44);
  expect(statuses.filter((status) => status === undefined)).toHaveLength(6);
  expect(await watch(address).first).toBe('RESOURCE_EXHAUSTED');
  expect((await clientOf(address).infer(requestOf(1))).outputs).toHaveLength(3);
  for (const { cancel } of few) cancel();
  await expect.poll(() => watch(address).first).toBe('SERVING');
});

it('answers with more bytes than a request may have', async () => {
  const { addresses } = await served([IRIS], { grpcPort: 0, limits: { body: 4000 } });
  const { outputs } = await clientOf(addresses.grpc).infer(requestOf(200));
  expect(outputs.find(({ name }) => name === 'label')?.contents?.bytes_contents).toHaveLength(200);
});

it('closes at once where it is told to, although a call is open', async () => {
  const serving = await served([IRIS], { grpcPort: 0, drain: { leadMs: 0, endMs: 60_000 } });
  const session = http2.connect(`http://${serving.addresses.grpc}`).on('error', () => undefined);
  onTestFinished(() => session.destroy());
  const call = session.request({
    ':method': 'POST',
    ':path': '/inference.GRPCInferenceService/ModelInfer',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  call.on('error', () => undefined);
  call.write(Buffer.alloc(3));
  await once(session, 'remoteSettings');
  await new Promise((resolve) => setTimeout(resolve, 100));
  const begin = performance.now();
  await serving.close();
  expect(performance.now() - begin).toBeLessThan(2000);
});
