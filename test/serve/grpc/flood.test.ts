import { once } from 'node:events';
import http2 from 'node:http2';
import { expect, it, onTestFinished } from 'vitest';
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
      const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
      stream.close();
      return headers['grpc-status'];
    }),
  );
  // 4 is DEADLINE_EXCEEDED.
  expect(new Set(statuses)).toEqual(new Set(['4']));
  expect((await clientOf(addresses.grpc).infer(REQUEST)).outputs).toHaveLength(3);
});

it('survives thousands of calls that are reset as soon as they are made, and answers others meanwhile', async () => {
  const { addresses } = await served([IRIS], { grpcPort: 0 });
  const client = clientOf(addresses.grpc);
  await client.infer(REQUEST);
  const before = process.memoryUsage().rss;
  let sent = 0;
  let ended = 0;
  const flood = async () => {
    for (let connection = 0; connection < 5; connection += 1) {
      const session = await connect(addresses.grpc);
      for (let at = 0; at < 1000 && !session.destroyed && !session.closed; at += 1) {
        const stream = session.request(CALL);
        stream.on('error', () => undefined);
        stream.close(http2.constants.NGHTTP2_CANCEL);
        sent += 1;
        if (at % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      if (session.destroyed || session.closed) ended += 1;
      session.destroy();
    }
  };
  const others = async () => {
    for (let at = 0; at < 20; at += 1) expect((await client.infer(REQUEST)).outputs).toHaveLength(3);
  };
  await Promise.all([flood(), others()]);
  expect(sent).toBeGreaterThan(2000);
  expect(ended).toBeGreaterThanOrEqual(0);
  expect((await client.infer(REQUEST)).outputs).toHaveLength(3);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
});
