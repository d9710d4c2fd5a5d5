// Memory of `score-batch serve` over a million requests, using every protocol in turn: the resident memory of all its processes
// after each part.
//
//   npm run bench:memory -- --requests 1000000
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { grpcLoad, load, request, scoreBatch, stop } from './serve/servers.ts';

const { values: flags } = parseArgs({ options: { requests: { type: 'string', default: '1000000' } } });
const wanted = Number(flags.requests);
const server = await scoreBatch();
let asked = 0;
let failed = 0;
process.stdout.write(`| requests | MiB |\n| --: | --: |\n| 0 | ${resident(server.process.pid ?? 0).toFixed(0)} |\n`);
while (asked < wanted) {
  for (const part of ['predict', 'infer', 'gRPC'] as const) {
    const measured =
      part === 'gRPC'
        ? await load('grpc-client', grpcLoad(server, { rows: 1, calls: 32, seconds: 5 }))
        : await load('client', { port: server.port, request: request(server, part, 1), connections: 32, seconds: 5 });
    asked += measured.answered;
    failed += measured.failed;
  }
  process.stdout.write(`| ${asked} | ${resident(server.process.pid ?? 0).toFixed(0)} |\n`);
}
process.stdout.write(`${failed} failed\n`);
stop(server.process);

/** MiB of a process and all its descendants. */
function resident(root: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      parents.set(
        Number(name),
        Number(
          readFileSync(`/proc/${name}/stat`, 'utf8')
            .replace(/^.*\) /s, '')
            .split(' ')[1],
        ),
      );
    } catch {
      // It has ended.
    }
  }
  const mine = [...parents.keys()].filter((pid) => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) if (at === root) return true;
    return false;
  });
  return (
    mine.reduce((sum, pid) => sum + Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0), 0) /
    1024
  );
}
