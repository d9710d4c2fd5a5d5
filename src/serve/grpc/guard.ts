import type { ServerInterceptor } from '@grpc/grpc-js';
import type { ServeSettings } from '../settings.ts';
import { isAuthorized } from '../tokens.ts';
import type { GrpcPackages } from './packages.ts';

/** What says only whether the server is there, which probes of an orchestrator ask without a token. */
const OPEN = /^\/(grpc\.health\.v1\.Health\/|inference\.GRPCInferenceService\/Server(Live|Ready)$)/;

/**
 * Ends calls without a token before their message is read, and those whose message does not arrive in time.
 *
 * @param called is told of each call before anything else is done for it
 */
export function guard({ grpc }: GrpcPackages, settings: ServeSettings, called: () => void): ServerInterceptor {
  const { tokens, limits } = settings;
  return (method, call) => {
    let timer: NodeJS.Timeout | undefined;
    const refuse = (code: number, details: string) => call.sendStatus({ code, details });
    return new grpc.ServerInterceptingCall(call, {
      start: (next) => {
        called();
        next({
          onReceiveMetadata(metadata, nextMetadata) {
            const [authorization] = metadata.get('authorization');
            if (tokens.length > 0 && !OPEN.test(method.path) && !isAuthorized(authorization?.toString(), tokens)) {
              refuse(grpc.status.UNAUTHENTICATED, 'a bearer token is needed\nhint: send `authorization: Bearer …` as metadata');
              return;
            }
            // A stream of requests has no end that it should have reached.
            if (!method.requestStream) {
              const late = () => refuse(grpc.status.DEADLINE_EXCEEDED, `no request arrived in ${limits.requestMs} ms`);
              timer = setTimeout(late, limits.requestMs).unref();
            }
            nextMetadata(metadata);
          },
          onReceiveHalfClose(nextHalfClose) {
            clearTimeout(timer);
            nextHalfClose();
          },
          onCancel: () => clearTimeout(timer),
        });
      },
    });
  };
}
