import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { onTestFinished } from 'vitest';
import { PROTO } from '../../../src/serve/grpc/packages.ts';

const DEFINITIONS = loadSync(PROTO, { keepCase: true, longs: String, defaults: true, oneofs: true });
const INFERENCE = (grpc.loadPackageDefinition(DEFINITIONS).inference as grpc.GrpcObject)
  .GRPCInferenceService as grpc.ServiceClientConstructor;

/** A tensor of an answer, or of a request as proto-loader takes it. */
interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly (string | number)[];
  readonly contents?: Readonly<Record<string, readonly unknown[]>> | null;
}

interface Answer {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly outputs: readonly Tensor[];
  readonly raw_output_contents: readonly Buffer[];
}

export interface Client {
  /** @throws grpc.ServiceError */
  call(
    method: string,
    request: object,
    options?: Partial<grpc.CallOptions>,
    metadata?: Record<string, string>,
  ): Promise<unknown>;
  infer(request: object, options?: Partial<grpc.CallOptions>): Promise<Answer>;
  /** Begins a call whose answer nobody waits for. */
  start(method: string, request: object): grpc.ClientUnaryCall;
  readonly stub: grpc.Client;
}

type Send = (
  request: object,
  metadata: grpc.Metadata,
  options: Partial<grpc.CallOptions>,
  done: (error: unknown, answer: unknown) => void,
) => grpc.ClientUnaryCall;

/** gRPC's own client, whose messages are written and read by Protocol Buffers' package. */
export function clientOf(
  address: string | undefined,
  credentials = grpc.credentials.createInsecure(),
  options: grpc.ChannelOptions = {},
): Client {
  const stub = new INFERENCE(address ?? '', credentials, {
    'grpc.max_receive_message_length': -1,
    'grpc.use_local_subchannel_pool': 1,
    ...options,
  });
  onTestFinished(() => stub.close());
  const send = (method: string) => (stub[method] as unknown as Send).bind(stub);
  function call(
    method: string,
    request: object,
    options: Partial<grpc.CallOptions> = {},
    entries: Record<string, string> = {},
  ) {
    const metadata = new grpc.Metadata();
    for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
    return new Promise<unknown>((resolve, reject) => {
      send(method)(request, metadata, options, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  }
  return {
    stub,
    call,
    infer: async (request, options) => (await call('ModelInfer', request, options)) as Answer,
    start: (method, request) => send(method)(request, new grpc.Metadata(), {}, () => undefined),
  };
}

/** How a call failed. */
export async function failure(call: Promise<unknown>): Promise<{ code: string | undefined; details: string }> {
  const error = await call.then(
    () => new Error('the call succeeded'),
    (reason: unknown) => reason as grpc.ServiceError,
  );
  if (!('code' in error)) throw error;
  return { code: grpc.status[error.code], details: error.details };
}
