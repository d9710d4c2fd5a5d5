import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { repository, temporaryFolder } from '../support/project.ts';

const call = promisify(execFile);

const SOURCE = repository('test/telemetry/collector');

/** A process of OpenTelemetry's collector, of its OTLP receiver and its file exporter. */
export interface RealCollector extends AsyncDisposable {
  readonly url: string;
  /** What it has received, once there is some: lines of OTLP's JSON. */
  received(signal: 'traces' | 'metrics'): Promise<string>;
}

/** Whether there is a Go to build it. */
export async function hasGo(): Promise<boolean> {
  return await call('go', ['version']).then(
    () => true,
    () => false,
  );
}

export async function startRealCollector(): Promise<RealCollector> {
  const binary = await built();
  const folder = await temporaryFolder();
  const port = await freePort();
  const file = (signal: string) => path.join(folder, `${signal}.json`);
  const exporterOf = (signal: string) => [`file/${signal}`, { path: file(signal), flush_interval: '100ms' }] as const;
  const pipelineOf = (signal: string) => [signal, { receivers: ['otlp'], exporters: [`file/${signal}`] }] as const;
  const signals = ['traces', 'metrics'];
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: Object.fromEntries(signals.map(exporterOf)),
    service: { telemetry: { metrics: { level: 'none' } }, pipelines: Object.fromEntries(signals.map(pipelineOf)) },
  };
  await writeFile(path.join(folder, 'config.yaml'), stringify(config));
  const child = spawn(binary, ['--config', path.join(folder, 'config.yaml')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let log = '';
    child.stderr.on('data', (text: Buffer) => {
      log += text.toString();
      if (log.includes('Everything is ready')) resolve();
    });
    child.once('error', reject);
    void ended.then(() => reject(new Error(`the collector ended: ${log}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async received(signal) {
      for (;;) {
        const text = existsSync(file(signal)) ? await readFile(file(signal), 'utf8') : '';
        if (text.endsWith('\n')) return text;
        await sleep(50);
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Built once for these sources, which pin every module. */
async function built(): Promise<string> {
  const sources = await Promise.all(['main.go', 'go.mod', 'go.sum'].map((name) => readFile(path.join(SOURCE, name))));
  const hash = createHash('sha256').update(Buffer.concat(sources)).digest('hex').slice(0, 12);
  const binary = repository('.tools', `otel-collector-${hash}`);
  if (existsSync(binary)) return binary;
  await mkdir(path.dirname(binary), { recursive: true });
  process.stderr.write(`Building ${path.relative('', binary)}, once; later runs use it again.\n`);
  const own = `${binary}.${process.pid}`;
  await call('go', ['build', '-mod=readonly', '-trimpath', '-ldflags=-s -w', '-o', own, '.'], { cwd: SOURCE });
  await rename(own, binary);
  return binary;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  return address.port;
}
