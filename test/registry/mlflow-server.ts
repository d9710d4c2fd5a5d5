import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Emulator, startServer } from '../emulators/emulator.ts';

const run = promisify(execFile);

interface Address {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly python: string;
  /** Folder where the server keeps artifacts. */
  readonly artifacts: string;
}

/** A real tracking server, with the client of its own that Python has. */
export interface Mlflow {
  readonly address: Address;
  /** Variables of somebody who may do everything there. */
  readonly environment: NodeJS.ProcessEnv;
  /** Calls a step of mlflow_client.py. */
  client<T>(step: 'read' | 'log' | 'move' | 'user', given: object): Promise<T>;
  stop(): Promise<void>;
}

export async function startMlflow(): Promise<Mlflow> {
  const server: Emulator<Address> = await startServer(import.meta.dirname, 'mlflow', 'run_mlflow.py', []);
  const { address } = server;
  const { url, user, password, python } = address;
  const environment = { MLFLOW_TRACKING_URI: url, MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password };
  return {
    ...{ address, environment },
    async client<T>(step: string, given: object) {
      const script = path.join(import.meta.dirname, 'mlflow_client.py');
      const { PATH, HOME } = process.env;
      const env = { PATH, HOME, ...environment, MLFLOW_DISABLE_TELEMETRY: 'true', PYTHONDONTWRITEBYTECODE: '1' };
      const { stdout } = await run(python, [script, step, JSON.stringify(given)], { env });
      return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
    },
    stop: () => server.stop(false),
  };
}
