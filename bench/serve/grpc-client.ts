// Sends gRPC requests of the Open Inference Protocol to a server as fast as it answers, in its own process.
//
//   node grpc-client.js '{"port":8081,"calls":32,"seconds":5,"rows":[[5.1,3.5,1.4,0.2]],"input":"measurements"}'
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { load } from '@grpc/proto-loader';
import type { Measured } from './client.ts';

export interface GrpcLoad {
  readonly port: number;
  readonly proto: string;
  /** Concurrent calls, on at most 32 connections. */
  readonly calls: number;
  readonly seconds: number;
  readonly rows: readonly (readonly number[])[];
  readonly input: string;
  /** Whether to send rows as raw bytes instead of a list of numbers (MLServer does not accept raw ones for every codec). */
  readonly raw: boolean;
}

const { port, proto, calls, seconds, rows, input, raw } = JSON.parse(process.argv[2] ?? '') as GrpcLoad;
const { inference } = loadPackageDefinition(await load(proto, { keepCase: true })) as unknown as {
  inference: { GRPCInferenceService: ServiceClientConstructor };
};
const clients = Array.from(
  { length: Math.min(calls, 32) },
  () =>
    new inference.GRPCInferenceService(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    }),
);
const flat = rows.flat();
const shape = [rows.length, rows[0]?.length ?? 0];
const request = {
  model_name: 'iris',
  inputs: [{ name: input, datatype: 'FP32', shape, ...(!raw && { contents: { fp32_contents: flat } }) }],
  ...(raw && { raw_input_contents: [Buffer.from(Float32Array.from(flat).buffer)] }),
};
const latencies: number[] = [];
let failed = 0;
const began = performance.now();
const end = began + 1000 * seconds;
await Promise.all(
  Array.from({ length: calls }, async (_, i) => {
    const client = clients[i % clients.length];
    while (performance.now() < end && failed < 1000) {
      const since = performance.now();
      const error = await new Promise((resolve) => client?.ModelInfer?.(request, (refused: unknown) => resolve(refused)));
      if (error) failed += 1;
      else latencies.push(performance.now() - since);
    }
  }),
);
const took = (performance.now() - began) / 1000;
for (const client of clients) client.close();
latencies.sort((a, b) => a - b);
const at = (share: number) => latencies[Math.floor(share * latencies.length)] ?? Number.NaN;
const measured: Measured = {
  perSecond: latencies.length / took,
  p50: at(0.5),
  p99: at(0.99),
  answered: latencies.length,
  failed,
};
process.stdout.write(JSON.stringify(measured));
