// The servers to compare, all with the same model, each with its own request format.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/root.ts';
import type { Load, Measured } from './client.ts';
import type { GrpcLoad } from './grpc-client.ts';

export interface Server {
  readonly name: string;
  readonly port: number;
  readonly grpc?: { readonly port: number; readonly input: string; readonly raw: boolean };
  /** Per way of asking: path and body of a request with these rows. */
  readonly ways: Readonly<Record<string, (rows: readonly (readonly number[])[]) => { path: string; body: unknown }>>;
  readonly process: ChildProcess;
}

const FEATURES = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'];
const IRIS = path.join(ROOT, 'models/iris');
const tools = (name: string, file: string) => path.join(ROOT, '.tools', name, 'bin', file);

/** Rows near the training data, the same for every server. */
function flowers(count: number): number[][] {
  return Array.from({ length: count }, (_, i) => [
    5.1 + (i % 20) / 10,
    3.5 - (i % 7) / 10,
    1.4 + (i % 50) / 10,
    0.2 + (i % 23) / 10,
  ]);
}

/** The bytes of a request over HTTP, in base64. @throws Error if the server does not support this way */
export function request({ ways, port, name }: Pick<Server, 'ways' | 'port' | 'name'>, way: string, rows: number): string {
  const asked = ways[way]?.(flowers(rows));
  if (asked === undefined) throw new Error(`${name} has no ${way}`);
  const body = JSON.stringify(asked.body);
  const head = `POST ${asked.path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Buffer.from(head + body).toString('base64');
}

/** A request for the prediction of one flower, to a server on a port. */
export function predictRequest(port: number): string {
  return request({ name: 'score-batch', port, ways: WAYS }, 'predict', 1);
}

export function grpcLoad(
  { grpc, name }: Server,
  { rows, ...load }: { readonly rows: number; readonly calls: number; readonly seconds: number },
): GrpcLoad {
  if (grpc === undefined) throw new Error(`${name} has no gRPC`);
  const proto = path.join(ROOT, 'src/serve/grpc/open_inference_grpc.proto');
  return { ...grpc, ...load, proto, rows: flowers(rows) };
}

/** Runs a client of this folder in its own process. */
export async function load(client: 'client', load: Load): Promise<Measured>;
export async function load(client: 'grpc-client', load: GrpcLoad): Promise<Measured>;
export async function load(client: string, load: object): Promise<Measured> {
  const script = path.join(ROOT, `.modules/bench/serve/${client}.js`);
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(load)]);
  return JSON.parse(stdout) as Measured;
}

/** A port that is free now: the system assigns it, and it is released again. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

const tensor = (name: string, outputs?: readonly object[]) => (rows: readonly (readonly number[])[]) => ({
  path: '/v2/models/iris/infer',
  body: {
    inputs: [{ name, datatype: 'FP32', shape: [rows.length, FEATURES.length], data: rows.flat() }],
    ...(outputs && { outputs }),
  },
});

const named = (rows: readonly (readonly number[])[]) => ({
  rows: rows.map((row) => Object.fromEntries(FEATURES.map((feature, i) => [feature, row[i]]))),
});

const WAYS: Server['ways'] = {
  predict: (rows) => ({ path: '/v1/models/iris/predict', body: named(rows) }),
  infer: tensor('measurements'),
};

export async function scoreBatch(checkout = ROOT, processes = 1): Promise<Server> {
  const [port, grpcPort] = [await freePort(), await freePort()];
  const args = ['serve', IRIS, '--port', String(port), '--grpc-port', String(grpcPort), '--processes', String(processes)];
  return await started({
    name: 'score-batch',
    port,
    grpc: { port: grpcPort, input: 'measurements', raw: true },
    ways: WAYS,
    process: start(process.execPath, [path.join(checkout, 'dist/cli.js'), ...args]),
  });
}

export async function emptyHandler(): Promise<Server> {
  const port = await freePort();
  return await started({
    name: 'empty fastify handler',
    port,
    ways: { predict: (rows) => ({ path: '/', body: named(rows) }) },
    process: start(process.execPath, [path.join(ROOT, '.modules/bench/serve/empty.js'), String(port)]),
  });
}

export async function mlserver(): Promise<Server> {
  const [port, grpcPort] = [await freePort(), await freePort()];
  const folder = mkdtempSync(path.join(tmpdir(), 'score-batch-bench-mlserver-'));
  const make = path.join(ROOT, 'bench/serve/mlserver_model.py');
  execFileSync(tools('mlserver', 'python'), [make, folder, String(port), String(grpcPort)]);
  return await started({
    name: 'mlserver',
    port,
    grpc: { port: grpcPort, input: 'predict', raw: true },
    ways: { infer: tensor('predict', [{ name: 'predict_proba' }]) },
    process: start(tools('mlserver', 'mlserver'), ['start', folder], { OMP_NUM_THREADS: '1' }),
  });
}

export async function bento(batchable: boolean): Promise<Server> {
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), 'score-batch-bench-bento-'));
  cpSync(path.join(ROOT, 'bench/serve/bento_service.py'), path.join(folder, 'service.py'));
  const environment = {
    MODEL: path.join(IRIS, 'model.onnx'),
    BENTOML_DO_NOT_TRACK: 'True',
    BATCHABLE: batchable ? '1' : '0',
    BENTOML_HOME: folder,
  };
  return await started({
    name: batchable ? 'bentoml, adaptive batching' : 'bentoml',
    port,
    ways: { predict: (rows) => ({ path: '/classify', body: { rows } }) },
    process: start(
      tools('bentoml', 'bentoml'),
      ['serve', 'service:Iris', '--working-dir', folder, '--host', '127.0.0.1', '--port', String(port)],
      environment,
    ),
  });
}

function start(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(command, args, { stdio: 'ignore', env: { ...process.env, ...environment }, detached: true });
  process.once('exit', () => stop(child));
  return child;
}

/** Stops a process with all processes that it started. */
export function stop({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** @throws Error if it does not answer a first request with 200 within two minutes */
async function started(server: Server): Promise<Server> {
  const [way] = Object.values(server.ways);
  const { path: where, body } = way?.(flowers(1)) ?? { path: '/', body: {} };
  const url = `http://127.0.0.1:${server.port}${where}`;
  for (let tries = 0; tries < 600; tries += 1) {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }).catch(() => undefined);
    if (answer?.status === 200) return server;
    if (server.process.exitCode !== null) break;
    await sleep(200);
  }
  throw new Error(`${server.name} does not answer ${url}`);
}
