import { EventEmitter, once } from 'node:events';
import { loadSync } from '@grpc/proto-loader';
import { expect, it } from 'vitest';
import { inferenceCalls } from '../../../src/serve/grpc/calls.ts';
import { INFERENCE, loadPackages, PROTO } from '../../../src/serve/grpc/packages.ts';
import { loaded } from '../score/loaded.ts';
import { IRIS } from '../served.ts';
import { stubService } from '../stub-service.ts';

interface Method {
  readonly requestSerialize: (request: object) => Buffer;
}

it('scores nothing for a call that was cancelled before it was read', async () => {
  const { service, observed } = stubService(await loaded(IRIS));
  const definitions = loadSync(PROTO, { keepCase: true });
  const { requestSerialize } = (definitions[INFERENCE] as unknown as Record<'ModelInfer', Method>).ModelInfer;
  const request = requestSerialize({
    model_name: 'iris',
    inputs: [{ name: 'measurements', datatype: 'FP32', shape: [1, 4], contents: { fp32_contents: [5.1, 3.5, 1.4, 0.2] } }],
  });
  const call = Object.assign(new EventEmitter(), { cancelled: true, request, getDeadline: () => Number.POSITIVE_INFINITY });
  const answered = new EventEmitter();
  const { ModelInfer } = inferenceCalls(await loadPackages(), service);
  const send = (error: unknown) => answered.emit('sent', error);
  const sent = once(answered, 'sent');
  (ModelInfer as unknown as (one: typeof call, done: typeof send) => void)(call, send);
  // 1 is CANCELLED.
  expect(await sent).toMatchObject([{ code: 1, details: 'the client no longer waits for the answer' }]);
  expect(observed).toMatchObject([{ outcome: 'gone' }]);
});
