// Requests per second and latencies of `score-batch serve` on the iris bundle, compared with MLServer, BentoML and an empty
// fastify handler. The servers take turns in every round; client and server share the machine. Prints the median of the rounds,
// with minimum and maximum.
//
//   npm run bench:serve -- --setup
//   npm run bench:serve -- --rounds 3 --seconds 4
//   npm run bench:serve -- --no-peers --cases 'predict, 1 row, (32|at half)'
import { execFileSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../scripts/root.ts';
import type { Measured } from './serve/client.ts';
import { bento, emptyHandler, grpcLoad, load, mlserver, request, type Server, scoreBatch, stop } from './serve/servers.ts';

const { values: flags } = parseArgs({
  options: {
    setup: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    peers: { type: 'boolean', default: true },
    processes: { type: 'string', default: '1' },
    cases: { type: 'string', default: '' },
  },
  allowNegative: true,
});
const CONNECTIONS = [1, 32, 256];
const ROWS = [1, 64];
/** The last case requests half of its rate. */
const FULL = 'predict, 1 row, 32 at once';
const out = createWriteStream('', { fd: 1 });

if (flags.setup) setUp();
else await compare();

function setUp(): void {
  for (const name of ['mlserver', 'bentoml']) {
    const folder = path.join(ROOT, '.tools', name);
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
    const requirements = path.join(ROOT, `bench/serve/${name}-requirements.txt`);
    execFileSync(path.join(folder, 'bin/pip'), ['install', '--quiet', '-r', requirements], { stdio: 'inherit' });
  }
}

/** A measurement for all servers that support it. */
interface Case {
  readonly title: string;
  measure(server: Server): Promise<Measured> | undefined;
}

async function compare(): Promise<void> {
  const servers = [await scoreBatch(ROOT, Number(flags.processes)), await emptyHandler()];
  if (flags.peers) servers.push(await mlserver(), await bento(false), await bento(true));
  const top = new Map<string, number>();
  out.write('| load | server | requests/s | p50 ms | p99 ms | failed |\n| :-- | :-- | --: | --: | --: | --: |\n');
  const wanted = new RegExp(flags.cases);
  for (const { title, measure } of cases(top)) {
    if (!wanted.test(title)) continue;
    const results = new Map<string, Measured[]>();
    for (let round = 0; round < Number(flags.rounds); round += 1) {
      for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
        const measured = await measure(server);
        if (measured !== undefined) results.set(server.name, [...(results.get(server.name) ?? []), measured]);
      }
    }
    for (const [name, measured] of results) {
      if (title === FULL) top.set(name, middle(measured, 'perSecond'));
      const failed = measured.reduce((sum, one) => sum + one.failed, 0);
      out.write(
        `| ${title} | ${name} | ${spread(measured, 'perSecond', 0)} | ${spread(measured, 'p50', 2)} | ${spread(measured, 'p99', 2)} | ${failed} |\n`,
      );
    }
  }
  for (const server of servers) stop(server.process);
}

function* cases(top: ReadonlyMap<string, number>): Generator<Case> {
  for (const rows of ROWS) {
    for (const way of ['predict', 'infer']) {
      for (const connections of CONNECTIONS) {
        const title = `${way}, ${rows === 1 ? '1 row' : `${rows} rows`}, ${connections} at once`;
        yield { title, measure: (server) => overHttp(server, way, { rows, connections }) };
      }
    }
    for (const calls of CONNECTIONS) {
      const title = `gRPC, ${rows === 1 ? '1 row' : `${rows} rows`}, ${calls} at once`;
      yield { title, measure: (server) => overGrpc(server, { rows, calls }) };
    }
  }
  yield {
    title: 'predict, 1 row, at half of its rate of 32 at once',
    measure: (server) => {
      const rate = top.get(server.name);
      return rate === undefined ? undefined : overHttp(server, 'predict', { rows: 1, connections: 256, rate: rate / 2 });
    },
  };
}

function overHttp(
  server: Server,
  way: string,
  { rows, ...more }: { readonly rows: number; readonly connections: number; readonly rate?: number },
): Promise<Measured> | undefined {
  if (server.ways[way] === undefined) return undefined;
  return load('client', { port: server.port, request: request(server, way, rows), seconds: Number(flags.seconds), ...more });
}

function overGrpc(server: Server, of: { readonly rows: number; readonly calls: number }): Promise<Measured> | undefined {
  return server.grpc && load('grpc-client', grpcLoad(server, { ...of, seconds: Number(flags.seconds) }));
}

type Figure = 'perSecond' | 'p50' | 'p99';

function middle(measured: readonly Measured[], figure: Figure): number {
  const sorted = measured.map((one) => one[figure]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function spread(measured: readonly Measured[], figure: Figure, digits: number): string {
  const values = measured.map((one) => one[figure]);
  const show = (value: number) => value.toFixed(digits);
  return `${show(middle(measured, figure))} (${show(Math.min(...values))} to ${show(Math.max(...values))})`;
}
