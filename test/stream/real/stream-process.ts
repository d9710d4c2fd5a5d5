import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { type Outcome, startScoreBatch } from '../../support/score-batch.ts';

const LONGEST_MS = 120_000;

/** A process of `score-batch stream`, as an operator sees it. */
export interface StreamProcess {
  /** What it has written to stderr so far. */
  readonly log: string;
  readonly ended: Promise<Outcome>;
  /** @throws Error with its log if it ends before, or does not say it within two minutes */
  says(text: RegExp, times?: number): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Sends SIGTERM, and waits for the end. */
  end(): Promise<Outcome>;
  /** Answer of its metrics server; undefined if nobody answers. */
  get(path: string): Promise<{ readonly status: number; readonly text: string } | undefined>;
  /** A metric, summed over the labels that match. */
  metric(name: string, labels?: string): Promise<number>;
}

/** Starts the built command in the folder of a project. It is killed when the test ends. */
export function startStream(
  folder: string,
  { args = ['--start', 'earliest'], environment = {} }: { args?: readonly string[]; environment?: NodeJS.ProcessEnv } = {},
): StreamProcess {
  const { process: child, ended } = startScoreBatch(folder, ['stream', ...args], environment);
  let log = '';
  let over = false;
  child.stderr?.on('data', (text: string) => {
    log += text;
  });
  void ended.then(() => {
    over = true;
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const count = (text: RegExp) => [...log.matchAll(new RegExp(text.source, 'gm'))].length;
  const get = async (path: string) => {
    const address = /^metrics at (http:\S+)\/metrics$/m.exec(log)?.[1];
    if (address === undefined) return undefined;
    try {
      const answer = await fetch(`${address}${path}`);
      return { status: answer.status, text: await answer.text() };
    } catch {
      return undefined;
    }
  };
  return {
    get log() {
      return log;
    },
    ended,
    async says(text, times = 1) {
      await until(
        () => count(text) >= times || over,
        () => `it did not say ${text}\n${log}`,
      );
      if (count(text) < times) throw new Error(`it ended without saying ${text}\n${log}`);
    },
    signal: (name) => void child.kill(name),
    end() {
      child.kill('SIGTERM');
      return ended;
    },
    get,
    async metric(name, labels = '') {
      const text = (await get('/metrics'))?.text ?? '';
      const lines = [...text.matchAll(new RegExp(`^score_batch_stream_${name}(\\{[^}]*\\})? (\\S+)$`, 'gm'))];
      return lines.filter(([, of]) => (of ?? '').includes(labels)).reduce((sum, [, , value]) => sum + Number(value), 0);
    },
  };
}

/** @throws Error with the message if it does not hold within two minutes */
export async function until(holds: () => boolean | Promise<boolean>, message: () => string): Promise<void> {
  for (const deadline = Date.now() + LONGEST_MS; !(await holds()); await delay(100)) {
    if (Date.now() > deadline) throw new Error(message());
  }
}
