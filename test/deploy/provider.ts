import { execFile } from 'node:child_process';
import { cp, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { virtualEnvironment } from '../emulators/virtual-environment.ts';
import { repository } from '../support/project.ts';

const run = promisify(execFile);

export interface Provider {
  /** Folders for PYTHONPATH: the package as it is installed, and pytest. */
  readonly installed: string;
  readonly pytest: string;
  /** Airflow's Python. */
  readonly python: string;
}

/** Builds the wheel of the provider and installs it into a folder beside Airflow's environment, which others use too. */
export async function installProvider(folder: string): Promise<Provider> {
  const python = await virtualEnvironment('airflow', import.meta.dirname);
  const tools = await virtualEnvironment('provider', import.meta.dirname);
  // A build leaves files in the folder of its sources.
  await cp(repository('deploy', 'airflow-provider'), path.join(folder, 'airflow-provider'), { recursive: true });
  const [wheels, installed] = [path.join(folder, 'wheels'), path.join(folder, 'installed')];
  await mkdir(wheels);
  const build = ['wheel', '--quiet', '--no-deps', '--no-index', '--no-build-isolation', '--wheel-dir', wheels];
  await run(tools, ['-m', 'pip', ...build, path.join(folder, 'airflow-provider')]);
  const [wheel = ''] = await readdir(wheels);
  await run(python, [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-deps',
    '--no-index',
    '--target',
    installed,
    path.join(wheels, wheel),
  ]);
  const { stdout: pytest } = await run(tools, ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))']);
  return { installed, pytest: pytest.trim(), python };
}
