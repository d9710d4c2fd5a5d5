import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, inject, it } from 'vitest';
import { temporaryFolder } from '../../support/project.ts';
import { isAlive, metricOf, startServer } from './server.ts';

/** Makes every run of a model fail as on a device that is lost, in the processes that are there when the file is written. */
const preload = (runtime: string, file: string) => `
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
const { InferenceSession } = createRequire(import.meta.url)(${JSON.stringify(runtime)});
const { run } = InferenceSession.prototype;
InferenceSession.prototype.run = function (...given) {
  if (existsSync(${JSON.stringify(file)} + process.pid)) return Promise.reject(new Error('the device was lost'));
  return run.apply(this, given);
};
`;

// Without a WebGPU device, real or in software, there is none to lose; CI installs one.
it.skipIf(!inject('webgpu'))(
  'replaces a process whose device is lost, and says so',
  async () => {
    const folder = await temporaryFolder();
    const lost = path.join(folder, 'lost-');
    const runtime = createRequire(import.meta.url).resolve('onnxruntime-node');
    const script = path.join(folder, 'lose-device.mjs');
    await writeFile(script, preload(runtime, lost));
    const environment = { NODE_OPTIONS: `--import ${pathToFileURL(script)}` };
    const server = await startServer('providers: [webgpu]\n', { environment });
    const [victim = 0] = await server.processes();
    const rows = [{ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }];
    const ask = async () => {
      const response = await fetch(`${server.url}/v1/models/iris/predict`, { method: 'POST', body: JSON.stringify({ rows }) });
      return [response.status, await response.text()] as const;
    };
    expect((await ask())[0]).toBe(200);
    await writeFile(`${lost}${victim}`, '');
    // The one that asked is told before the process ends.
    expect(await ask()).toEqual([503, '{"error":"the device of the model failed"}']);
    await server.says(/^warning: the device of a model failed, so this process must be replaced: the device was lost$/m);
    await server.says(/^warning: process \d+ ended \(exit code 1\); starting a replacement$/m);
    expect(isAlive(victim)).toBe(false);
    await expect.poll(() => ask().catch(() => []), { timeout: 20_000 }).toContain(200);
    const metrics = await server.metrics();
    expect(metricOf(metrics, 'score_batch_serve_lost_processes_total')).toBe(1);
    // What the process had counted is not lost with it.
    const counted = (outcome: string) =>
      metricOf(
        metrics,
        `score_batch_serve_request_seconds_count{protocol="predict",model="iris",version="2026-11-27",outcome="${outcome}"}`,
      );
    expect(counted('ok')).toBe(2);
    expect(counted('unavailable')).toBeGreaterThan(0);
  },
  60_000,
);
