import { once } from 'node:events';
import http2 from 'node:http2';
import { createConnection } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startGrpc } from '../../../src/serve/grpc/start.ts';
import { IRIS, served } from '../served.ts';
import { clientOf } from './client.ts';

const REQUEST = {
  model_name: 'iris',
  inputs: [{ name: 'measurements', datatype: 'FP32', shape: [1, 4], contents: { fp32_contents: [5.1, 3.5, 1.4, 0.2] } }],
};

const CALL = {
  ':method': 'POST',
  ':path': '/inference.GRPCInferenceService/ModelInfer',
  'content-type': 'application/grpc',
  te: 'trailers',
};

async function connect(address: string | undefined): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(`http://${address}`);
  onTestFinished(() => session.destroy());
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
  return session;
}

it('takes no more streams of a connection than its limit, and ends those that send nothing', async () => {
  const { addresses } = await served([IRIS], { grpcPort: 0, limits: { streams: 7, requestMs: 300 } });
  const session = await connect(addresses.grpc);
  expect(session.remoteSettings.maxConcurrentStreams).toBe(7);
  const statuses = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const stream = session.request(CALL);
      stream.on('error', () => undefined);
      const status = await once(stream, 'response').then(
        ([headers]) => (headers as http2.IncomingHttpHeaders)['grpc-status'],
        (error: Error) => error.message,
      );
      stream.close();
      return status;
    }),
  );
  // 4 is DEADLINE_EXCEEDED. Node 24 ends a connection by itself after some of them.
  expect(statuses).toContain('4');
  expect(statuses.filter((status) => status !== '4' && !status?.includes('NGHTTP2_ENHANCE_YOUR_CALM'))).toEqual([]);
  expect((await clientOf(addresses.grpc).infer(REQUEST)).outputs).toHaveLength(3);
});

/** A frame of HTTP/2: RFC 9113, section 4.1. */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header field that is not indexed: RFC 7541, section 6.2.2. @param name its number in the static table, or its text */
function field(name: number | string, value: string): Buffer {
  const text = (one: string) => Buffer.concat([Buffer.from([one.length]), Buffer.from(one)]);
  const named = typeof name === 'string' ? Buffer.concat([Buffer.from([0]), text(name)]) : Buffer.from([name]);
  return Buffer.concat([named, text(value)]);
}

const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const GOAWAY = 7;
const END_HEADERS = 4;
const CANCEL = Buffer.from([0, 0, 0, 8]);
// 0x83 is `:method: POST`, 0x86 `:scheme: http`.
const BLOCK = Buffer.concat([
  Buffer.from([0x83, 0x86]),
  field(4, CALL[':path']),
  field(1, 'localhost'),
  field('content-type', 'application/grpc'),
  field('te', 'trailers'),
]);

/** Opens and resets calls as fast as the server takes them. @returns what the server said with GOAWAY; undefined if it did not */
async function resetRapidly(address: string, calls: number): Promise<number | undefined> {
  const [host, port] = address.split(':');
  const socket = createConnection(Number(port), host).on('error', () => undefined);
  let received = Buffer.alloc(0);
  let said: number | undefined;
  const goaway = new Promise<void>((resolve) => {
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      for (let at = 0; at + 17 <= received.length; at += 9 + received.readUIntBE(at, 3)) {
        if (received[at + 3] !== GOAWAY) continue;
        said = received.readUInt32BE(at + 13);
        resolve();
      }
    });
  });
  await once(socket, 'connect');
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0, Buffer.alloc(0))]));
  for (let at = 0; at < calls; at += 50) {
    const pairs = Array.from({ length: 50 }, (_, i) => {
      const stream = 2 * (at + i) + 1;
      return [frame(HEADERS, END_HEADERS, stream, BLOCK), frame(RST_STREAM, 0, stream, CANCEL)];
    });
    socket.write(Buffer.concat(pairs.flat()));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.race([goaway, new Promise((resolve) => setTimeout(resolve, 20_000).unref())]);
  socket.destroy();
  return said;
}

it('takes no more of connections that reset their calls as soon as they are made, and answers others meanwhile', async () => {
  const { service } = await served([IRIS]);
  let asked = 0;
  const ready = () => {
    asked += 1;
    return true;
  };
  const server = await startGrpc({ ...service, ready, settings: { ...service.settings, grpcPort: 0 } });
  onTestFinished(() => server.close());
  const client = clientOf(server.address);
  await client.infer(REQUEST);
  const before = process.memoryUsage().rss;
  const begun = asked;
  const others = async () => {
    for (let at = 0; at < 20; at += 1) expect((await client.infer(REQUEST)).outputs).toHaveLength(3);
  };
  const [said] = await Promise.all([
    Promise.all(Array.from({ length: 5 }, () => resetRapidly(server.address, 10_000))),
    others(),
  ]);
  expect(said).toEqual(Array(5).fill(http2.constants.NGHTTP2_INTERNAL_ERROR));
  // Each call asks once whether the server is ready. Node takes some thousand resets of a connection, and then nothing.
  expect(asked - begun).toBeGreaterThan(3000);
  expect(asked - begun).toBeLessThan(15_000);
  expect((await client.infer(REQUEST)).outputs).toHaveLength(3);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
});
