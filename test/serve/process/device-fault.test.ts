import { expect, it, onTestFinished, vi } from 'vitest';
import { loadServing } from '../../../src/serve/process/serving.ts';
import type { Log } from '../../../src/serve/service.ts';
import { IRIS, settingsOf } from '../served.ts';

/** The message of a runtime that a run fails with, while there is one. No machine can be made to lose its GPU. */
const fault = vi.hoisted(() => ({ message: undefined as string | undefined }));

vi.mock('../../../src/runtime/session.ts', async (original) => {
  const actual = await original<typeof import('../../../src/runtime/session.ts')>();
  const { runError } = await import('../../../src/runtime/errors.ts');
  return {
    ...actual,
    async openSession(...given: Parameters<typeof actual.openSession>) {
      const session = await actual.openSession(...given);
      return {
        ...session,
        async runOutputs(...asked: Parameters<typeof session.runOutputs>) {
          if (fault.message !== undefined) throw runError('cuda:0', 2, new Error(fault.message));
          return await session.runOutputs(...asked);
        },
      };
    },
  };
});

async function started() {
  const warnings: string[] = [];
  let broken = 0;
  const log: Log = { warn: (message) => void warnings.push(message), debug: () => undefined, bug: () => undefined };
  const settings = settingsOf([IRIS]);
  const loaded = await loadServing(settings, { log, onBroken: () => (broken += 1) });
  const serving = await loaded.listen();
  onTestFinished(() => serving.close());
  onTestFinished(() => {
    fault.message = undefined;
  });
  const { http } = serving.addresses;
  const rows = [{ sepal_length: 5.13579, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }];
  const predict = async () => {
    const response = await fetch(`${http}/v1/models/iris/predict`, { method: 'POST', body: JSON.stringify({ rows }) });
    return { status: response.status, connection: response.headers.get('connection'), text: await response.text() };
  };
  const ready = async () => (await fetch(`${http}/v2/health/ready`)).status;
  return { predict, ready, warnings, broken: () => broken };
}

it('is not ready any more once its device failed, says why once, and asks to be replaced', async () => {
  const { predict, ready, warnings, broken } = await started();
  expect(await predict()).toMatchObject({ status: 200 });
  expect([await ready(), broken()]).toEqual([200, 0]);
  fault.message = "CUDA failure 719: unspecified launch failure ; GPU=0 ; value '5.13579'";
  const answers = await Promise.all(Array.from({ length: 20 }, predict));
  for (const { status, text } of answers) {
    expect(status).toBe(503);
    expect(text).not.toContain('CUDA');
  }
  expect([await ready(), broken()]).toEqual([503, 1]);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^the device of a model failed, so this process must be replaced: CUDA failure .*unspecified launch failure/,
    ),
  ]);
  expect(warnings[0]).not.toContain('5.13579');
  // Its clients are told to come back, to another process.
  expect((await predict()).connection).toBe('close');
});

it('answers on after a run that did not fit into the memory of its device', async () => {
  const { predict, ready, warnings, broken } = await started();
  fault.message = 'CUDA failure 2: out of memory ; GPU=0';
  expect((await predict()).status).toBe(503);
  fault.message = undefined;
  expect((await predict()).status).toBe(200);
  expect([await ready(), broken()]).toEqual([200, 0]);
  expect(warnings).toEqual([expect.stringMatching(/^a run did not fit into the memory of its device: /)]);
});
