import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { fromParts } from '../../error-parts.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { ServeSettings } from '../settings.ts';
import type { Addresses, Answer, Leaving, LoadedModel, Order } from './messages.ts';
import type { Metric } from './metric.ts';

/** An answering process, as its supervisor sees it. */
export interface Answering {
  readonly pid: number;
  /** Resolves once every model has proved itself. @throws the process's failure, or that it ended */
  readonly loaded: Promise<readonly LoadedModel[]>;
  /** @param maxRows see `Order` */
  listen(maxRows: readonly number[]): Promise<Addresses>;
  /** Lets it answer open requests, then end; kills it if it does not. */
  leave(why: Leaving): Promise<void>;
  kill(): void;
  /** Its current metrics; undefined if it does not answer. */
  collect(): Promise<readonly Metric[] | undefined>;
  /** The last metrics that it reported. */
  last(): readonly Metric[];
  /** How it ended: `SIGKILL`, `exit code 1`. */
  readonly ended: Promise<string>;
}

interface Starting {
  readonly settings: ServeSettings;
  readonly json: boolean;
  /** Resolves to the metrics of all processes. */
  readonly allMetrics: () => Promise<readonly (readonly Metric[])[]>;
}

/** A scrape waits at most this long for a busy process. */
const COLLECT_MS = 2000;

/** Time that a leaving process may take beyond its drain. */
const SLACK_MS = 3000;

/** Starts a process, which begins loading at once. */
export function startAnswering({ settings, json, allMetrics }: Starting): Answering {
  // One process accepts connections and distributes them in turn: the system would give most of them to one process.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ exec: fileURLToPath(new URL('./answering-process.js', import.meta.url)), args: [] });
  const worker = cluster.fork({ SCORE_BATCH_SERVE_TOKEN: undefined, SCORE_BATCH_FEAST_TOKEN: undefined });
  const asked = new Map<number, (metrics: readonly Metric[] | undefined) => void>();
  let questions = 0;
  let last: readonly Metric[] = [];
  const loaded = promised<readonly LoadedModel[]>();
  const listening = promised<Addresses>();
  const ended = promised<string>();
  const fail = (error: Error): void => {
    loaded.reject(error);
    listening.reject(error);
  };
  const tell = (order: Order): void => {
    if (worker.isConnected()) worker.send(order, () => undefined);
  };
  worker.on('message', (answer: Answer) => {
    switch (answer.type) {
      case 'started':
        tell({ type: 'load', settings, json });
        break;
      case 'loaded':
        loaded.resolve(answer.models);
        break;
      case 'listening':
        listening.resolve(answer.addresses);
        break;
      case 'failed':
        fail(fromParts(answer.error));
        break;
      case 'collected':
        last = answer.metrics;
        asked.get(answer.question)?.(answer.metrics);
        break;
      case 'left':
        last = answer.metrics;
        break;
      case 'ask metrics': {
        const { question } = answer;
        void allMetrics().then((processes) => tell({ type: 'metrics', question, processes }));
      }
    }
  });
  worker.on('error', fail);
  worker.on('exit', (code, signal) => {
    const how = signal ?? `exit code ${code}`;
    fail(
      new ScoreBatchError('unavailable', `a process ended before it could answer (${how})`, {
        hint: 'if it ended with SIGKILL, raise its memory limit or start fewer processes: each holds every model',
      }),
    );
    ended.resolve(how);
    for (const resolve of asked.values()) resolve(undefined);
  });
  return {
    pid: worker.process.pid ?? 0,
    loaded: loaded.promise,
    listen(maxRows) {
      tell({ type: 'listen', maxRows });
      return listening.promise;
    },
    async leave(why) {
      tell({ type: 'leave', why });
      const { leadMs, endMs } = settings.drain;
      const late = setTimeout(() => worker.process.kill('SIGKILL'), leadMs + endMs + SLACK_MS);
      await ended.promise;
      clearTimeout(late);
    },
    kill: () => void worker.process.kill('SIGKILL'),
    async collect() {
      if (!worker.isConnected()) return undefined;
      const question = ++questions;
      tell({ type: 'collect', question });
      let late: NodeJS.Timeout | undefined;
      const metrics = await new Promise<readonly Metric[] | undefined>((resolve) => {
        asked.set(question, resolve);
        late = setTimeout(() => resolve(undefined), COLLECT_MS).unref();
      });
      clearTimeout(late);
      asked.delete(question);
      return metrics;
    },
    last: () => last,
    ended: ended.promise,
  };
}

interface Promised<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

function promised<T>(): Promised<T> {
  let settle: Pick<Promised<T>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Those who await it see the rejection; without them it must not end this process.
  promise.catch(() => undefined);
  return { promise, resolve: (value) => settle?.resolve(value), reject: (error) => settle?.reject(error) };
}
