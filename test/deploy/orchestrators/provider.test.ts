import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/project.ts';
import { installProvider } from '../provider.ts';

// The provider for Airflow, built and installed; its own tests run in Airflow's environment.

const run = promisify(execFile);

it('Airflow knows the provider by its wheel, and its own tests pass', async () => {
  const folder = await temporaryFolder();
  const { installed, pytest, python } = await installProvider(folder);
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    PYTHONPATH: [installed, pytest].join(path.delimiter),
    AIRFLOW_HOME: folder,
    AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED: 'False',
  };
  const providers = await run(python, ['-m', 'airflow', 'providers', 'list', '--output', 'json'], { env });
  expect(JSON.parse(providers.stdout.slice(providers.stdout.indexOf('[')))).toContainEqual(
    expect.objectContaining({ package_name: 'score-batch-airflow', version: '0.1.0' }),
  );
  const tests = path.join(folder, 'airflow-provider', 'tests');
  const { stdout } = await run(python, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', tests], { env, cwd: folder });
  expect(stdout).toMatch(/^16 passed/m);
});
