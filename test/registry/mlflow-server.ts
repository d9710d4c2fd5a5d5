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
  client<T>(step: 'read' | 'log', given: object): Promise<T>;
  /** Lets an alias lead to a version, as somebody does in MLflow. */
  move(name: string, alias: string, version: string): Promise<void>;
  /** Adds a user without rights. */
  addUser(name: string, password: string): Promise<void>;
  stop(): Promise<void>;
}

/** @param guarded whether it has users with passwords, which takes it a while for each request */
export async function startMlflow(guarded = false): Promise<Mlflow> {
  const server: Emulator<Address> = await startServer(
    import.meta.dirname,
    'mlflow',
    'run_mlflow.py',
    guarded ? ['guarded'] : [],
  );
  const { address } = server;
  const { url, user, password, python } = address;
  const credentials = guarded ? { MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password } : {};
  const environment = { MLFLOW_TRACKING_URI: url, ...credentials };
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const post = async (place: string, body: object) => {
    const headers = { 'content-type': 'application/json', ...(guarded && { authorization }) };
    const { status } = await fetch(`${url}${place}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (status !== 200) throw new Error(`${place} answers with ${status}`);
  };
  return {
    ...{ address, environment },
    async client<T>(step: string, given: object) {
      const script = path.join(import.meta.dirname, 'mlflow_client.py');
      const { PATH, HOME } = process.env;
      const env = { PATH, HOME, ...environment, MLFLOW_DISABLE_TELEMETRY: 'true', PYTHONDONTWRITEBYTECODE: '1' };
      const { stdout } = await run(python, [script, step, JSON.stringify(given)], { env });
      return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
    },
    move: (name, alias, version) => post('/api/2.0/mlflow/registered-models/alias', { name, alias, version }),
    addUser: (username, word) => post('/api/2.0/mlflow/users/create', { username, password: word }),
    stop: () => server.stop(false),
  };
}
