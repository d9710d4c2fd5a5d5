import http from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { ServeFailure } from '../../../src/serve/failure.ts';
import { buildHttp } from '../../../src/serve/http/server.ts';
import type { OnlineModel } from '../../../src/serve/online-model.ts';
import { loadOnlineModel } from '../../../src/serve/score/load-model.ts';
import { IRIS, settingsOf } from '../served.ts';
import { stubService } from '../stub-service.ts';
import { bodyOf } from './v2-client.ts';

const { body } = bodyOf([{ name: 'measurements', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }]);

it('tells the model when the client is gone, and only then', async () => {
  const iris = await loadOnlineModel(IRIS, settingsOf([]));
  let queued: (signal: AbortSignal) => void = () => undefined;
  let wait = true;
  /** A model whose queue is so long that the client gives up. */
  const slow: OnlineModel = {
    ...iris,
    score: (request) => {
      const { signal } = request;
      if (signal === undefined) throw new Error('there is no signal');
      queued(signal);
      if (!wait) return iris.score(request);
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new ServeFailure('gone', 'the client is gone')));
      });
    },
  };
  const { service, observed } = stubService(slow);
  const app = await buildHttp(service);
  onTestFinished(async () => {
    await app.close();
    await iris.close();
  });
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/v2/models/iris/infer`;

  const started = new Promise<AbortSignal>((resolve) => {
    queued = resolve;
  });
  const request = http.request(url, { method: 'POST' });
  request.on('error', () => undefined);
  request.end(body);
  const signal = await started;
  expect(signal.aborted).toBe(false);
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  request.destroy();
  await aborted;
  await expect.poll(() => observed.map(({ outcome }) => outcome)).toEqual(['gone']);

  wait = false;
  const answered = new Promise<AbortSignal>((resolve) => {
    queued = resolve;
  });
  expect((await fetch(url, { method: 'POST', body })).status).toBe(200);
  expect((await answered).aborted).toBe(false);
  expect(observed.map(({ outcome }) => outcome)).toEqual(['gone', 'ok']);
});
