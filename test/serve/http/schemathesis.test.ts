import { execFile } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { virtualEnvironment } from '../../emulators/virtual-environment.ts';
import { repository, temporaryFolder } from '../../support/project.ts';
import { CHURN, IRIS, served } from '../served.ts';
import { writeHostileBundle } from './hostile-bundle.ts';

const run = promisify(execFile);

/** Other requests each day; `SCORE_BATCH_TEST_SEED` names those that failed. */
const SEED = process.env.SCORE_BATCH_TEST_SEED ?? String(Math.floor(Date.now() / 86_400_000));

/** Seconds of random requests. */
const SECONDS = '60';

it('keeps what its OpenAPI document says, whatever is asked', async () => {
  const folder = await temporaryFolder();
  const second = path.join(folder, 'second');
  await cp(IRIS, second, { recursive: true });
  const file = path.join(second, 'model.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace(/^version: .*$/m, 'version: "second"'));
  const fixtures = ['strings', 'mixed'].map((name) => repository('test', 'fixtures', 'models', name));
  const hostile = await writeHostileBundle(path.join(folder, 'hostile'));
  const serving = await served([IRIS, second, CHURN, ...fixtures, hostile], { limits: { text: 1000, rows: 50 } });

  const python = await virtualEnvironment('schemathesis', import.meta.dirname);
  const config = path.join(import.meta.dirname, 'schemathesis.toml');
  const args = [
    '-m',
    'schemathesis.cli',
    '--config-file',
    config,
    'run',
    `${serving.addresses.http}/openapi.json`,
    '--no-color',
    '--continue-on-failure',
  ];
  const phases = ['--phases', 'examples,coverage,fuzzing', '--max-time', SECONDS, '--seed', SEED, '--warnings', 'off'];
  // It keeps what it found in the folder that it runs in. Its own command has the path of an environment that was renamed.
  const { stdout } = await run(python, [...args, ...phases], {
    cwd: folder,
    maxBuffer: 2 ** 26,
  }).catch((error: { message: string; stdout: string }) => {
    throw new Error(`schemathesis with seed ${SEED} found:\n${error.stdout}\n${error.message}`);
  });
  expect(stdout).toMatch(/(\d{3,}) generated, \1 passed/);
  const { paths } = (await (await fetch(`${serving.addresses.http}/openapi.json`)).json()) as { paths: object };
  const operations = Object.values(paths).flatMap((one) => Object.keys(one)).length;
  // All but the one that it read the document from.
  expect(stdout).toContain(`Tested: ${operations - 1}`);
});
