import { fileURLToPath } from 'node:url';
import { ScoreBatchError, systemCode } from '../../errors.ts';

/** The service of the Open Inference Protocol, by its full name. */
export const INFERENCE = 'inference.GRPCInferenceService';

/** The protocol's definition. The build puts it beside its output. */
export const PROTO = fileURLToPath(new URL('./open_inference_grpc.proto', import.meta.url));

type Grpc = typeof import('@grpc/grpc-js');

/** The gRPC packages, which are optional and which no other command loads. */
export interface GrpcPackages {
  readonly grpc: Grpc;
  readonly loader: typeof import('@grpc/proto-loader');
  readonly health: typeof import('grpc-health-check');
  readonly reflection: typeof import('@grpc/reflection');
}

/** @throws ScoreBatchError `configuration` if one is not installed */
export async function loadPackages(): Promise<GrpcPackages> {
  try {
    const [grpc, loader, health, reflection] = await Promise.all([
      import('@grpc/grpc-js'),
      import('@grpc/proto-loader'),
      import('grpc-health-check'),
      import('@grpc/reflection'),
    ]);
    // It would print what it also throws, and mistakes of clients.
    grpc.setLogVerbosity(grpc.logVerbosity.NONE);
    return { grpc, loader, health, reflection };
  } catch (error) {
    if (systemCode(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ScoreBatchError('configuration', 'the packages for gRPC are not installed', {
      hint: 'install them with `npm install @grpc/grpc-js @grpc/proto-loader @grpc/reflection grpc-health-check`, or serve HTTP only with --no-grpc',
      cause: error,
    });
  }
}
