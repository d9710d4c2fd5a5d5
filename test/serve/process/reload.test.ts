import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startLoad } from './load.ts';
import { edit, isAlive, metricOf, startServer } from './server.ts';

const ANSWERED = 'score_batch_serve_request_seconds_count{protocol="predict",model="iris",version="2026-11-27",outcome="ok"}';

it('answers every request while a new version takes over, and while one that does not prove itself is refused', async () => {
  const server = await startServer('processes: 2\n');
  const before = await server.processes();
  expect(before).toHaveLength(2);
  const load = startLoad(server.url);
  await sleep(500);

  await edit(server, 'iris/model.yaml', /version: "2026-11-27"/, 'version: "2026-12-01"');
  server.signal('SIGHUP');
  await server.says(/^reloaded; listening on .*: iris 2026-12-01/m);
  // Old processes answer what they have, tell their clients to go, and end.
  while (before.some(isAlive)) await sleep(50);
  const after = await server.processes();
  expect(after).toHaveLength(2);
  const counted = metricOf(await server.metrics(), ANSWERED);
  expect(counted).toBeGreaterThan(0);

  // The model is as it was, but what it should say is not.
  await edit(server, 'iris/golden.csv', /(\n[^\n]*,)0\.\d+/, '$10.123456');
  server.signal('SIGHUP');
  await server.says(/^warning: the reload was refused, so the previous models and settings stay in use: /m);
  while ((await server.processes()).length > 2) await sleep(50);
  expect(await server.processes()).toEqual(after);
  const { answers, failures, closing, versions } = await load.stop();
  expect(failures).toEqual([]);
  expect([...answers.keys()]).toEqual([200]);
  expect([...versions]).toEqual(['2026-11-27', '2026-12-01']);
  expect(closing).toBeGreaterThan(0);

  const metrics = await server.metrics();
  expect(metricOf(metrics, 'score_batch_serve_reloads_total{outcome="done"}')).toBe(1);
  expect(metricOf(metrics, 'score_batch_serve_reloads_total{outcome="refused"}')).toBe(1);
  expect(metricOf(metrics, 'score_batch_serve_reload_refused')).toBe(1);
  expect(metricOf(metrics, 'score_batch_serve_lost_processes_total')).toBe(0);
  // What ended processes have counted stays: together they have answered what was asked.
  expect(metricOf(metrics, ANSWERED)).toBe(counted);
  const newer = ANSWERED.replace('2026-11-27', '2026-12-01');
  expect(metricOf(metrics, ANSWERED) + metricOf(metrics, newer)).toBe(answers.get(200));
}, 120_000);

it('refuses a digest that differs, and settings with problems, each with its reason; then takes what is right again', async () => {
  const server = await startServer();
  const description = path.join(server.folder, 'iris/model.yaml');
  const before = await readFile(description, 'utf8');
  await edit(server, 'iris/model.yaml', /sha256: "../, 'sha256: "00');
  server.signal('SIGHUP');
  await server.says(/the reload was refused.*: the digest of .*model\.onnx does not match model\.yaml/);
  await edit(server, 'serve.yaml', /host:/, 'prot: 1\nhost:');
  server.signal('SIGHUP');
  await server.says(/serve\.yaml:1:1: unknown key prot; did you mean port\?/);
  expect((await fetch(`${server.url}/v2/health/ready`)).status).toBe(200);
  await edit(server, 'serve.yaml', /prot: 1\n/, '');
  await writeFile(description, before);
  server.signal('SIGHUP');
  await server.says(/^reloaded; listening on /m);
  expect(metricOf(await server.metrics(), 'score_batch_serve_reload_refused')).toBe(0);
}, 120_000);

it('replaces a process that is lost although the bundles have changed and cannot be reloaded, once they are what the others have', async () => {
  const server = await startServer('processes: 2\n');
  const [victim = 0, other = 0] = await server.processes();
  const description = path.join(server.folder, 'iris/model.yaml');
  const before = await readFile(description, 'utf8');
  await edit(server, 'iris/model.yaml', /version: "2026-11-27"/, 'version: "2026-12-01"');
  await edit(server, 'serve.yaml', /host:/, 'prot: 1\nhost:');
  process.kill(victim, 'SIGKILL');
  await server.says(/^warning: the bundles on disk have changed/m);
  await server.says(/unknown key prot; did you mean port\?/);
  await writeFile(description, before);
  await expect.poll(async () => metricOf(await server.metrics(), 'score_batch_serve_processes'), { timeout: 30_000 }).toBe(2);
  // Both answer, and with what they had.
  await expect.poll(server.processes, { timeout: 30_000 }).toHaveLength(2);
  expect(await server.processes()).toContain(other);
  const versions = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const response = await fetch(`${server.url}/v2/models/iris`, { headers: { connection: 'close' } });
      return ((await response.json()) as { versions: string[] }).versions;
    }),
  );
  expect(new Set(versions.flat())).toEqual(new Set(['2026-11-27']));
}, 120_000);

it('keeps a port that it chose when it is told to have it, and says that another host needs another one', async () => {
  const server = await startServer();
  await edit(server, 'serve.yaml', /^port: 0$/m, `port: ${server.port}`);
  server.signal('SIGHUP');
  await server.says(/^reloaded; listening on /m);
  await edit(server, 'serve.yaml', /^host: 127\.0\.0\.1$/m, 'host: 0.0.0.0\nallow_anyone: true');
  server.signal('SIGHUP');
  await server.says(/the reload was refused.*: this server itself uses port \d+ of 127\.0\.0\.1 until the reload is complete/);
  expect((await fetch(`${server.url}/v2/health/ready`)).status).toBe(200);
}, 120_000);

it('reloads all processes where one that is started anew finds another bundle than theirs', async () => {
  const server = await startServer('processes: 2\n');
  const before = await server.processes();
  await edit(server, 'iris/model.yaml', /version: "2026-11-27"/, 'version: "2026-12-01"');
  process.kill(before[0] ?? 0, 'SIGKILL');
  await server.says(/^warning: the bundles on disk have changed: replacing all processes$/m);
  await server.says(/^reloaded; listening on .*: iris 2026-12-01/m);
  while (before.some(isAlive)) await sleep(50);
  expect(await server.processes()).toHaveLength(2);
}, 120_000);
