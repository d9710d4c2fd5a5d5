import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/root.ts';

const run = promisify(execFile);

/** Programs in Go, from the Go module proxy the first time. Git ignores the folder; it can be deleted at any time. */
const TOOLS = path.join(ROOT, '.tools');
const VERSITYGW = { name: 'versitygw', module: 'github.com/versity/versitygw/cmd/versitygw', version: 'v1.8.0' };
const FAKE_GCS = { name: 'fake-gcs-server', module: 'github.com/fsouza/fake-gcs-server', version: 'v1.56.1' };

export const S3_KEYS = { AWS_ACCESS_KEY_ID: 'store-test', AWS_SECRET_ACCESS_KEY: 'store-test-secret', AWS_REGION: 'us-east-1' };

export interface StoreServer {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** An S3 server: the gateway of Versity over a folder. */
export async function startS3(): Promise<StoreServer> {
  const program = await installed(VERSITYGW);
  const folder = await mkdtemp(path.join(tmpdir(), 'score-batch-s3-'));
  await mkdir(path.join(folder, 'data'));
  const port = await freePort();
  const keys = ['-a', S3_KEYS.AWS_ACCESS_KEY_ID, '-s', S3_KEYS.AWS_SECRET_ACCESS_KEY];
  const args = [...keys, '-p', `127.0.0.1:${port}`, '-q', 'posix', path.join(folder, 'data')];
  return await serve(program, args, port, folder);
}

/** A server of Google Cloud Storage, in memory, without accounts. */
export async function startGcs(): Promise<StoreServer> {
  const program = await installed(FAKE_GCS);
  const folder = await mkdtemp(path.join(tmpdir(), 'score-batch-gcs-'));
  const port = await freePort();
  const at = `127.0.0.1:${port}`;
  const place = ['-host', '127.0.0.1', '-port', String(port), '-public-host', at, '-external-url', `http://${at}`];
  return await serve(
    program,
    ['-backend', 'memory', '-data', folder, '-scheme', 'http', '-log-level', 'error', ...place],
    port,
    folder,
  );
}

async function serve(program: string, args: readonly string[], port: number, folder: string): Promise<StoreServer> {
  const child = spawn(program, args, { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill('SIGKILL');
    await gone;
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + 30_000;
  while (
    !(await fetch(endpoint).then(
      () => true,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`${path.basename(program)} does not answer at ${endpoint}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { endpoint, process: child, stop };
}

/** @throws Error in one line if there is no Go */
async function installed({ name, module, version }: typeof VERSITYGW): Promise<string> {
  const folder = path.join(TOOLS, `go-${name}-${version}`);
  const program = path.join(folder, name);
  if (await isThere(program)) return program;
  const own = `${folder}.${process.pid}`;
  try {
    await run('go', ['install', `${module}@${version}`], { env: { ...process.env, GOBIN: own, GOFLAGS: '-buildvcs=false' } });
    await rename(own, folder).catch(async (error: unknown) => {
      if (!(await isThere(program))) throw error;
    });
  } catch (error) {
    const [first] = String((error as { stderr?: string }).stderr || error).split('\n');
    throw new Error(`${name} cannot be installed with Go 1.25 or newer: ${first}`, { cause: error });
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  return program;
}

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
