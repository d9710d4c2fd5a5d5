import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ServeFailure } from '../failure.ts';
import { infer } from '../oip/infer.ts';
import { modelMetadata, SERVER_METADATA } from '../oip/metadata.ts';
import { sizeCheck } from '../oip/sizes.ts';
import type { Service } from '../service.ts';
import { type RequestMessage, readRequest } from './message.ts';
import type { GrpcPackages } from './packages.ts';
import { isRaw, toInferRequest } from './request.ts';
import { writeAnswer } from './response.ts';
import { statusOf } from './status.ts';

/** Identifies a model; an empty version leaves the choice to the server. */
interface ModelQuery {
  readonly name: string;
  readonly version: string;
}

type Call<Request> = ServerUnaryCall<Request, unknown>;

/** The methods of the Open Inference Protocol. ModelInfer receives and returns messages as bytes. */
export function inferenceCalls({ grpc }: GrpcPackages, service: Service): UntypedServiceImplementation {
  function unary<Request>(answer: (request: Request, call: Call<Request>) => unknown) {
    return async (call: Call<Request>, send: sendUnaryData<unknown>): Promise<void> => {
      try {
        send(null, await answer(call.request, call));
      } catch (error) {
        const { code, details, retryMs } = statusOf(error);
        if (code === 'INTERNAL') service.log.bug(error instanceof ServeFailure ? (error.cause ?? error) : error);
        const metadata = new grpc.Metadata();
        if (retryMs !== undefined) metadata.set('grpc-retry-pushback-ms', String(retryMs));
        send({ code: grpc.status[code], details, metadata });
      }
    };
  }
  const find = ({ name, version }: ModelQuery) => service.models.find(name, version === '' ? undefined : version);
  return {
    ServerLive: unary(() => ({ live: true })),
    ServerReady: unary(() => ({ ready: service.ready() })),
    ModelReady: unary((query: ModelQuery) => ({ ready: find(query) !== undefined && service.ready() })),
    ServerMetadata: unary(() => ({ ...SERVER_METADATA, extensions: [] })),
    ModelMetadata: unary((query: ModelQuery) => modelMetadata(find(query), service.models)),
    ModelInfer: unary((bytes: Buffer, call) => modelInfer(service, bytes, call)),
  };
}

async function modelInfer(service: Service, bytes: Buffer, call: Call<Buffer>): Promise<Buffer> {
  const message = read(service, bytes);
  const gone = new AbortController();
  let answered = false;
  const leave = () => {
    // Every call is cancelled in the end, and an abort creates an error with a stack.
    if (!answered) gone.abort();
  };
  // A call that is already cancelled does not emit the event again.
  if (call.cancelled) leave();
  else call.once('cancelled', leave);
  const answer = await infer(service, {
    protocol: 'grpc',
    name: message.name,
    version: message.version === '' ? undefined : message.version,
    read: (model) => toInferRequest(message, sizeCheck(model)),
    deadline: deadlineOf(call),
    signal: gone.signal,
  });
  answered = true;
  return writeAnswer(answer, isRaw(message));
}

/** Observes a message that cannot be read without a model. */
function read(service: Service, bytes: Buffer): RequestMessage {
  try {
    return readRequest(bytes);
  } catch (error) {
    const outcome = error instanceof ServeFailure ? error.kind : 'internal';
    service.observe({ protocol: 'grpc', model: undefined, outcome, rows: 0, rejected: undefined, seconds: 0 });
    throw error;
  }
}

/** The call's deadline on the `performance.now()` clock; undefined without one. */
function deadlineOf(call: Call<Buffer>): number | undefined {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? performance.now() + deadline - Date.now() : undefined;
}
