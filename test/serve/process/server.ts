import { once } from 'node:events';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../support/project.ts';
import { type Outcome, startScoreBatch } from '../../support/score-batch.ts';
import { IRIS } from '../served.ts';

/** A server as people start it: the built command, its supervisor and its processes. */
export interface Server {
  readonly folder: string;
  readonly url: string;
  readonly port: number;
  /** Of the supervisor. */
  readonly pid: number;
  readonly ended: Promise<Outcome>;
  signal(name: NodeJS.Signals): void;
  stderr(): string;
  /** Waits for a line. @throws if the server ends before */
  says(pattern: RegExp): Promise<void>;
  /** The processes that answer. */
  processes(): Promise<number[]>;
  metrics(): Promise<string>;
}

const BASE = 'host: 127.0.0.1\nport: 0\nmodels: [iris]\ndrain: { lead: 1s, end: 5s }\n';

interface Starting {
  readonly environment?: NodeJS.ProcessEnv;
  /** Further files of the folder. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Starts a server of the iris bundle, copied, and waits until it listens. @param settings further lines of `serve.yaml` */
export async function startServer(settings = '', { environment = {}, files = {} }: Starting = {}): Promise<Server> {
  const folder = await temporaryFolder();
  await cp(IRIS, path.join(folder, 'iris'), { recursive: true });
  const grpc = settings.includes('grpc_port') ? '' : 'grpc_port: false\n';
  await writeFile(path.join(folder, 'serve.yaml'), `${BASE}${grpc}${settings}`);
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const running = startScoreBatch(folder, ['serve', '--config', 'serve.yaml'], environment);
  const { process: child, ended } = running;
  let stderr = '';
  child.stderr?.on('data', (text: string) => {
    stderr += text;
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const says = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(stderr)) {
      if (child.exitCode !== null || child.stderr === null) throw new Error(`the server has ended:\n${stderr}`);
      await Promise.race([once(child.stderr, 'data'), once(child, 'exit')]);
    }
  };
  await says(/listening on /);
  const [, url = '', port = ''] = /listening on (https?:\/\/[^:]+:(\d+))/.exec(stderr) ?? [];
  const pid = child.pid ?? 0;
  return {
    folder,
    url,
    port: Number(port),
    pid,
    ended,
    signal: (name) => void child.kill(name),
    stderr: () => stderr,
    says,
    async processes() {
      const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
      return text.trim().split(' ').filter(Boolean).map(Number);
    },
    metrics: async () => await (await fetch(`${url}/metrics`)).text(),
  };
}

/** Replaces a text in a file of the server's folder. */
export async function edit(server: Server, file: string, from: RegExp, to: string): Promise<void> {
  const place = path.join(server.folder, file);
  const text = await readFile(place, 'utf8');
  if (!from.test(text)) throw new Error(`${file} has no ${from}`);
  await writeFile(place, text.replace(from, to));
}

/** The value of a metric; 0 if it is not there. @param name with labels, as in the text */
export function metricOf(metrics: string, name: string): number {
  const line = metrics.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
