import type { Metadata, ServerInterceptingCallInterface, ServerInterceptor } from '@grpc/grpc-js';
import { ServeFailure } from '../failure.ts';
import type { ServeSettings } from '../settings.ts';
import { isAuthorized } from '../tokens.ts';
import type { GrpcPackages } from './packages.ts';
import { statusOf } from './status.ts';

/** Methods that only say whether the server is up: orchestrators' probes call them without a token. */
const OPEN = /^\/(grpc\.health\.v1\.Health\/|inference\.GRPCInferenceService\/Server(Live|Ready)$)/;

/** Checks that every call passes first. */
export interface Guard {
  readonly interceptor: ServerInterceptor;
  /** Ends streams that never end on their own, such as health watches. */
  endStreams(): void;
}

/**
 * Ends calls without a token before their message is read, calls whose message does not arrive in time, and server streams
 * beyond the most connections: watching the health needs no token.
 *
 * @param called is told of each call before anything else is done for it
 */
export function createGuard({ grpc }: GrpcPackages, settings: ServeSettings, called: () => void): Guard {
  const streams = new Set<ServerInterceptingCallInterface>();
  function refuse(call: ServerInterceptingCallInterface, failure: ServeFailure): void {
    const { code, details } = statusOf(failure);
    call.sendStatus({ code: grpc.status[code], details });
  }
  function interceptor(
    { path, requestStream, responseStream }: Parameters<ServerInterceptor>[0],
    call: ServerInterceptingCallInterface,
  ) {
    let timer: NodeJS.Timeout | undefined;
    function waitForRequest(): void {
      const { requestMs } = settings.limits;
      // Refuse only when needed: creating an error costs more than all else here, because of its stack.
      const refuseLate = () => refuse(call, new ServeFailure('late', `the request did not arrive within ${requestMs} ms`));
      timer = setTimeout(refuseLate, requestMs).unref();
    }
    return new grpc.ServerInterceptingCall(call, {
      start(next) {
        called();
        next({
          onReceiveMetadata(metadata, nextMetadata) {
            const failure = refusalOf(metadata, settings, OPEN.test(path));
            if (failure !== undefined) {
              refuse(call, failure);
              return;
            }
            if (responseStream && streams.size >= settings.limits.connections) {
              refuse(call, new ServeFailure('busy', 'too many streams are open', { hint: 'open one per client' }));
              return;
            }
            if (responseStream) streams.add(call);
            // A request stream has no end to wait for.
            if (!requestStream) waitForRequest();
            nextMetadata(metadata);
          },
          onReceiveHalfClose(nextHalfClose) {
            clearTimeout(timer);
            nextHalfClose();
          },
          // Called however the call ended.
          onCancel() {
            clearTimeout(timer);
            streams.delete(call);
          },
        });
      },
    });
  }
  return {
    interceptor,
    endStreams() {
      for (const call of streams) refuse(call, new ServeFailure('unavailable', 'the server is shutting down'));
    },
  };
}

/** @param open whether the method may be called without a token */
function refusalOf(metadata: Metadata, { tokens, origins }: ServeSettings, open: boolean): ServeFailure | undefined {
  const [origin] = metadata.get('origin');
  // Only browser pages send an origin.
  if (origin !== undefined && !origins.includes('*') && !origins.includes(origin.toString())) {
    return new ServeFailure('forbidden', 'pages of that origin may not call this server');
  }
  const [authorization] = metadata.get('authorization');
  if (tokens.length === 0 || open || isAuthorized(authorization?.toString(), tokens)) return undefined;
  return new ServeFailure('unauthenticated', 'a bearer token is required', {
    hint: 'send `authorization: Bearer …` as metadata',
  });
}
