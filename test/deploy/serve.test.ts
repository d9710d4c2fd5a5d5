import { once } from 'node:events';
import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { IRIS } from '../serve/served.ts';
import { temporaryFolder } from '../support/project.ts';
import { startScoreBatch } from '../support/score-batch.ts';
import { type Container, manifest } from './manifest.ts';

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Serving extends Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly terminationGracePeriodSeconds: number; readonly containers: readonly Serving[] };
    };
  };
}

/** What a line of its log names: `http://127.0.0.1:41234` */
const LISTENING = /listening on (https?:\/\/[\d.]+:\d+)/;

it('the container of the deployment answers its probes, and ends within its grace', { timeout: 120_000 }, async () => {
  const { spec } = manifest('serve.yaml').find(({ kind }) => kind === 'Deployment') as unknown as Deployment;
  const { containers, terminationGracePeriodSeconds: grace } = spec.template.spec;
  const [container] = containers;
  if (container === undefined) throw new Error('the deployment has no container');
  const folder = await temporaryFolder();
  await cp(IRIS, path.join(folder, 'models/iris'), { recursive: true });
  const token = 'a-token-of-this-test-alone';
  await writeFile(path.join(folder, 'tokens'), `${token}\n`);
  // The entry point of the image adds the command. Here nothing listens beyond this machine, on ports that are free.
  const args = container.args.map((arg) =>
    arg.replace('--host=0.0.0.0', '--host=127.0.0.1').replace('/etc/score-batch/tokens', 'tokens'),
  );
  expect(args).toContain('--host=127.0.0.1');
  const environment = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
  const { process: child, ended } = startScoreBatch(folder, ['serve', ...args, '--port=0', '--grpc-port=0'], environment);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let stderr = '';
  child.stderr?.on('data', (text: string) => (stderr += text));
  while (child.stderr && child.exitCode === null && !LISTENING.test(stderr)) await once(child.stderr, 'data');
  const url = LISTENING.exec(stderr)?.[1];

  const { startupProbe, readinessProbe, livenessProbe } = container;
  const asked = [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet);
  const answers = await Promise.all(asked.map(async (probe) => (await fetch(`${url}${probe.path}`)).status));
  expect(answers).toEqual([200, 200, 200]);
  expect(asked.map(({ port }) => container.ports.find(({ name }) => name === port)?.containerPort)).toEqual([8080, 8080, 8080]);

  const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
  const predict = (headers: Record<string, string>) =>
    fetch(`${url}/v1/models/iris/predict`, { method: 'POST', headers, body: JSON.stringify({ rows: [flower] }) });
  expect((await predict({})).status).toBe(401);
  expect(await (await predict({ authorization: `Bearer ${token}` })).json()).toMatchObject({
    predictions: [{ label: 'setosa' }],
  });

  const began = performance.now();
  child.kill('SIGTERM');
  await expect.poll(async () => (await fetch(`${url}${readinessProbe.httpGet.path}`)).status, { timeout: 3000 }).toBe(503);
  expect((await predict({ authorization: `Bearer ${token}` })).status).toBe(200);
  expect((await ended).code).toBe(0);
  expect((performance.now() - began) / 1000).toBeLessThan(grace);
});
