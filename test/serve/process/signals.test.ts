import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { scoreBatchProcess } from '../../support/score-batch.ts';
import { startLoad } from './load.ts';
import { edit, isAlive, metricOf, startServer } from './server.ts';

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}

const statusOf = async (url: string): Promise<number> =>
  (await fetch(`${url}/v2/health/ready`, { headers: { connection: 'close' } })).status;

it.each(['SIGTERM', 'SIGINT'] as const)(
  '%s: not ready at once, answers on until nobody sends, then ends with 0',
  async (signal) => {
    const server = await startServer('processes: 2\n');
    const load = startLoad(server.url);
    await sleep(500);
    const began = performance.now();
    server.signal(signal);
    // A balancer asks every 100 ms, and sends no more once it has heard it twice.
    let unready = 0;
    while (unready < 2) {
      if ((await statusOf(server.url)) === 503) unready += 1;
      await sleep(100);
    }
    expect(performance.now() - began).toBeLessThan(900);
    expect((await fetch(`${server.url}/v2/health/live`)).status).toBe(200);
    const { answers, failures, closing } = await load.stop();
    expect(failures).toEqual([]);
    expect([...answers.keys()]).toEqual([200]);
    expect(closing).toBeGreaterThan(0);
    const { code, stdout } = await server.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    // All of the lead was there for clients that still sent.
    expect(performance.now() - began).toBeGreaterThan(1000);
    expect(server.stderr()).toMatch(/\nshutting down: requests are answered for another 1 s\nended\n$/);
  },
  60_000,
);

it('waits for a request that arrives slowly beyond the lead, and closes an idle connection', async () => {
  const server = await startServer();
  const idle = createConnection(server.port, '127.0.0.1');
  const slow = createConnection(server.port, '127.0.0.1');
  const body = '{"rows": [{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}]}';
  slow.write(`POST /v1/models/iris/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n`);
  let answer = '';
  slow.on('data', (part) => {
    answer += String(part);
  });
  idle.resume();
  idle.write('GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await sleep(300);
  server.signal('SIGTERM');
  await once(idle, 'close');
  await sleep(500);
  slow.write(body);
  await once(slow, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n');
  expect((await server.ended).code).toBe(0);
}, 60_000);

it('replaces a process that is killed, and the others answer meanwhile', async () => {
  const server = await startServer('processes: 2\n');
  const [victim = 0, other = 0] = await server.processes();
  const load = startLoad(server.url, 8);
  await sleep(500);
  process.kill(victim, 'SIGKILL');
  await server.says(/^warning: process \d+ ended \(SIGKILL\); starting a replacement$/m);
  for (;;) {
    const metrics = await server.metrics();
    const isWhole = metricOf(metrics, 'score_batch_serve_processes') === 2;
    if (isWhole && metricOf(metrics, 'score_batch_serve_lost_processes_total') === 1) break;
    await sleep(100);
  }
  const answered = load.sent.answers.get(200) ?? 0;
  await sleep(500);
  const { answers, failures } = await load.stop();
  // Only what the killed process had in hand is lost: at most one request of each connection.
  expect(failures.length).toBeLessThanOrEqual(8);
  expect(answers.get(200)).toBeGreaterThan(answered);
  expect([...answers.keys()]).toEqual([200]);
  const now = await server.processes();
  expect(now).toHaveLength(2);
  expect(now).toContain(other);
  expect(now).not.toContain(victim);
}, 60_000);

it('gives up where its processes end again and again', async () => {
  const server = await startServer();
  const killing = setInterval(() => {
    void server.processes().then((pids) => {
      for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    });
  }, 20);
  const { code, stderr } = await server.ended;
  clearInterval(killing);
  expect(code).toBe(69);
  expect(stderr).toContain('error: the processes that answer ended 5 times in a row\nhint: ');
}, 60_000);

it('leaves no process behind when the supervisor is killed', async () => {
  const server = await startServer('processes: 2\n');
  const pids = await server.processes();
  server.signal('SIGKILL');
  const deadline = performance.now() + 5000;
  while (pids.some(isAlive) && performance.now() < deadline) await sleep(50);
  expect(pids.filter(isAlive)).toEqual([]);
  await expect(fetch(server.url)).rejects.toThrow('fetch failed');
}, 60_000);

it('says that another process listens on the port, before it loads a model', async () => {
  const server = await startServer();
  const { code, stderr } = await scoreBatchProcess(server.folder, [
    'serve',
    'iris',
    '--no-grpc',
    '--port',
    String(server.port),
  ]);
  expect(code).toBe(69);
  expect(stderr).toBe(
    `error: another process listens on port ${server.port} of 127.0.0.1\nhint: stop it, or choose another port for HTTP with --port\n`,
  );
  expect(await statusOf(server.url)).toBe(200);
}, 60_000);

it('does not listen without a GPU where one is required', async () => {
  const server = await startServer();
  const port = await freePort();
  const args = ['serve', 'iris', '--no-grpc', '--port', String(port), '--require-gpu'];
  const { code, stderr } = await scoreBatchProcess(server.folder, args);
  expect(code).toBe(78);
  expect(stderr).toMatch(/^error: no execution provider can run .*\n {2}cpu: refused, a GPU is required\n/);
  expect(stderr).not.toContain('listening');
  await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow('fetch failed');
}, 60_000);

it('does not listen where a bundle does not prove itself', async () => {
  const server = await startServer();
  await edit(server, 'iris/golden.csv', /(\n[^\n]*,)0\.\d+/, '$10.123456');
  const args = ['serve', 'iris', '--no-grpc', '--port', '0', '--processes', '2'];
  const { code, stderr } = await scoreBatchProcess(server.folder, args);
  expect(code).toBe(78);
  expect(stderr).toMatch(/^error: .*golden/);
  expect(stderr).not.toContain('listening');
}, 60_000);
