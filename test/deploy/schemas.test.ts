import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { virtualEnvironment } from '../emulators/virtual-environment.ts';
import { repository } from '../support/project.ts';
import { manifest } from './manifest.ts';

// What cannot be run here is held against the schemas of those who run it; both checkers bring theirs and ask no network.

const python = await virtualEnvironment('manifests', import.meta.dirname).catch((error: unknown) => {
  if (process.env.CI === 'true') throw error;
  return undefined;
});
const run = (...args: string[]) => promisify(execFile)(python ?? '', ['-m', ...args]);
/** The file with one word misspelt, which a checker must notice. */
const misspelt = (file: string, word: string, checker: string) =>
  promisify(execFile)('sh', ['-c', `sed 's/${word}:/x${word}:/' "$1" | "$0" -m ${checker} -`, python ?? '', file]);

// Without Python, which the last line of the output says.
describe.skipIf(python === undefined)('the schemas', () => {
  it.each([
    ['cronjob.yaml', 'completions'],
    ['cronjob-gpu.yaml', 'completions'],
    ['cronjob-hourly.yaml', 'completions'],
    ['serve.yaml', 'minReplicas'],
    ['stream.yaml', 'minReadySeconds'],
  ])('Kubernetes allows all that is in %s', async (name, word) => {
    const file = repository('deploy', 'kubernetes', name);
    const { stdout, stderr } = await run('kubernetes_validate', '--strict', file);
    expect((stdout + stderr).match(/\bpassed\b/g)).toHaveLength(manifest(name).length);
    await expect(misspelt(file, word, 'kubernetes_validate --strict')).rejects.toThrow(new RegExp(`x${word}`));
  });

  it('Compose allows all that is in docker-compose.yml', async () => {
    const file = repository('docker-compose.yml');
    await run('check_jsonschema', '--builtin-schema', 'vendor.compose-spec', file);
    const checker = 'check_jsonschema --builtin-schema vendor.compose-spec --force-filetype yaml';
    await expect(misspelt(file, 'ports', checker)).rejects.toMatchObject({ stdout: expect.stringContaining('xports') });
  });
});
