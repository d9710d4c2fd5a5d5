// Two servers under load behind HAProxy, which checks their readiness: one switches to another version of the model (SIGHUP),
// the other is stopped (SIGTERM) and restarted. No request may fail.
//
//   npm run bench:switch -- --seconds 40
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ROOT } from '../scripts/root.ts';
import { freePort, load, predictRequest, stop } from './serve/servers.ts';

const { values: flags } = parseArgs({
  options: { seconds: { type: 'string', default: '40' }, connections: { type: 'string', default: '32' } },
});
const seconds = Number(flags.seconds);
const folder = mkdtempSync(path.join(tmpdir(), 'score-batch-bench-switch-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const bundle = path.join(folder, 'iris');
cpSync(path.join(ROOT, 'models/iris'), bundle, { recursive: true });
const manifest = path.join(bundle, 'model.yaml');
const ports = [await freePort(), await freePort()] as const;
const front = await freePort();
const servers = await Promise.all(ports.map(startServer));
const proxy = startProxy();
await untilReady(front);

const before = await version();
const loading = load('client', {
  port: front,
  request: predictRequest(front),
  connections: Number(flags.connections),
  seconds,
});
const began = performance.now();
const say = (what: string) => process.stdout.write(`${((performance.now() - began) / 1000).toFixed(1)} s: ${what}\n`);
await sleep(3000);
writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/^version: .*$/m, 'version: "next"'));
for (const [i, server] of servers.entries()) {
  say(`SIGHUP to server ${i + 1}: the bundle has another version now`);
  server.kill('SIGHUP');
  await sleep(4000);
}
say('SIGTERM to server 2');
const second = servers[1] as ChildProcess;
second.kill('SIGTERM');
await new Promise((resolve) => second.once('exit', resolve));
say(`server 2 has ended with code ${second.exitCode}`);
servers.push(await startServer(ports[1]));
say('server 2 is back');
const { perSecond, p50, p99, answered, failed } = await loading;
say(`the version was ${before} and is ${await version()}`);
process.stdout.write(
  `${answered} answered, ${failed} failed; ${perSecond.toFixed(0)} requests/s, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms\n`,
);
for (const server of servers) stop(server);
stop(proxy);
process.exitCode = failed === 0 ? 0 : 1;

async function startServer(port: number): Promise<ChildProcess> {
  const args = [path.join(ROOT, 'dist/cli.js'), 'serve', bundle, '--port', String(port), '--no-grpc'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  process.once('exit', () => stop(child));
  await untilReady(port);
  return child;
}

function startProxy(): ChildProcess {
  const file = path.join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  maxconn 1000
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
frontend all
  bind 127.0.0.1:${front}
  default_backend iris
backend iris
  option httpchk
  http-check send meth GET uri /v2/health/ready ver HTTP/1.1 hdr Host 127.0.0.1
  http-check expect status 200
  default-server check inter 500ms fall 1 rise 1
${ports.map((port, i) => `  server iris${i + 1} 127.0.0.1:${port}`).join('\n')}
`,
  );
  const child = spawn('haproxy', ['-f', file, '-db'], { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  process.once('exit', () => stop(child));
  return child;
}

async function untilReady(port: number): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/health/ready`).catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(100);
  }
  throw new Error(`nothing is ready on port ${port}`);
}

async function version(): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${front}/v2/models/iris`);
  return ((await answer.json()) as { versions?: unknown }).versions;
}
