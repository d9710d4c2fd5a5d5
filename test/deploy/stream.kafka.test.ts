import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, inject, it, onTestFinished } from 'vitest';
import { makeTopic } from '../stream/kafka/fixture.ts';
import { JOB, streamProject } from '../stream/stream-project.ts';
import { startScoreBatch } from '../support/score-batch.ts';
import { type Container, manifest } from './manifest.ts';

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Streaming extends Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: { readonly terminationGracePeriodSeconds: number; readonly containers: readonly Streaming[] };
    };
  };
}

const brokers = inject('kafka') ?? [];
const LISTENING = /(http:\/\/[\d.]+:\d+)\/metrics/;

// Without Java there is no Kafka.
it.runIf(brokers.length > 0)(
  'the container of the stream answers its probes, and ends within its grace',
  async () => {
    const { template } = (manifest('stream.yaml').find(({ kind }) => kind === 'Deployment') as unknown as Deployment).spec;
    const { containers, terminationGracePeriodSeconds: grace } = template.spec;
    const [container] = containers;
    if (container === undefined) throw new Error('the deployment has no container');
    const [input, scores, dead, alerts] = await Promise.all([1, 2, 3, 4].map(() => makeTopic(brokers)));
    const job = JOB.replace('localhost:9092', brokers.join(', '))
      .replace('input: transactions', `input: ${input}`)
      .replace(/output: .*/, `output: { scores: ${scores}, dead_letter: ${dead}, alerts: ${alerts} }`);
    const folder = await streamProject({ job: `${job}group: ${randomUUID()}\nmetrics: { port: 0 }\n` });
    const environment = Object.fromEntries(container.env.map(({ name, value }) => [name, value ?? 'a-password']));
    const { process: child, ended } = startScoreBatch(folder, container.args, environment);
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
    const statusOf = async (at: string | undefined) => (await fetch(`${url}${at}`)).status;
    for (const { path, port } of asked) {
      await expect.poll(() => statusOf(path), { timeout: 60_000 }).toBe(200);
      expect(container.ports.find(({ name }) => name === port)?.containerPort).toBe(9464);
    }
    const { 'prometheus.io/path': path, 'prometheus.io/port': port } = template.metadata.annotations;
    expect([await statusOf(path), port]).toEqual([200, '9464']);

    await expect.poll(() => stderr, { timeout: 60_000 }).toContain('"event":"started"');
    const began = performance.now();
    child.kill('SIGTERM');
    expect((await ended).code, stderr).toBe(0);
    expect((performance.now() - began) / 1000).toBeLessThan(grace);
  },
  180_000,
);
