import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Serving, startServing } from '../../../src/serve/process/serving.ts';
import { virtualEnvironment } from '../../emulators/virtual-environment.ts';
import { repository } from '../../support/project.ts';
import { IRIS, settingsOf } from '../served.ts';

const run = promisify(execFile);

let python: string;
let serving: Serving;

beforeAll(async () => {
  python = await virtualEnvironment('clients', import.meta.dirname);
  serving = await startServing(settingsOf([IRIS, repository('test/fixtures/models/mixed')], { grpcPort: 0 }));
}, 600_000);
afterAll(() => serving?.close());

/** What each script asks for; it prints one line for each answer that was right, and fails with the first that is not. */
const SCRIPTS = {
  triton_http: 47,
  triton_grpc: 21,
  kserve_clients: 13,
  grpc_services: 6,
};

it.each(Object.entries(SCRIPTS))('%s gets the answers of ONNX Runtime', async (script, answers) => {
  const { http = '', grpc = '' } = serving.addresses;
  const args = [path.join(import.meta.dirname, `${script}.py`), new URL(http).host, grpc, IRIS];
  const { stdout } = await run(python, args, { env: { ...process.env, NO_PROXY: '*' } });
  expect(stdout.trimEnd().split('\n')).toHaveLength(answers);
});
