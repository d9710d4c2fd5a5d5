// Entry point of an answering process. It obeys its supervisor, and ends with it.
import { toParts } from '../../error-parts.ts';
import { type Console, createConsole } from '../../terminal/console.ts';
import { presentError } from '../../terminal/error.ts';
import { bugWithoutValues } from '../../without-values.ts';
import type { Log, MetricsText } from '../service.ts';
import type { LogLevel } from '../settings.ts';
import type { Answer, Order } from './messages.ts';
import type { Metric } from './metric.ts';
import type { Metrics } from './metrics.ts';
import { type Loaded, loadServing, type Serving } from './serving.ts';

/** Time for the answers that report a failed device. */
const GIVE_UP_MS = 200;

const waiting = new Map<number, (processes: readonly (readonly Metric[])[]) => void>();
let questions = 0;
let loaded: Loaded | undefined;
let serving: Serving | undefined;

// A terminal or service manager sends these to all processes; the supervisor decides what they mean.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('message', (order: Order) => {
  void obey(order).catch((error: unknown) => tell({ type: 'failed', error: toParts(error) }));
});
tell({ type: 'started' });

async function obey(order: Order): Promise<void> {
  switch (order.type) {
    case 'load': {
      const { settings, json } = order;
      const console = consoleOf(settings.log, json);
      process.on('uncaughtException', (error) => {
        console.error(presentError(bugWithoutValues(error)).text, {});
        process.exit(1);
      });
      loaded = await loadServing(settings, { log: logTo(console), allMetrics: askForAll, onBroken: giveUp });
      const models = loaded.service.models.list().map(({ name, version, digest, sameBits, bits, maxRows, bundle }) => ({
        name,
        version,
        digest,
        definitionDigest: bundle.definitionDigest,
        sameBits,
        largestDifference: sameBits ? 0 : bits.largest,
        maxRows,
      }));
      tell({ type: 'loaded', models });
      return;
    }
    case 'listen':
      serving = await loaded?.listen(order.maxRows);
      if (serving !== undefined) tell({ type: 'listening', addresses: serving.addresses });
      return;
    case 'leave':
      await serving?.leave(order.why);
      tell({ type: 'left', metrics: (await loaded?.metrics?.collect()) ?? [] }, () => process.exit(0));
      return;
    case 'collect':
      tell({ type: 'collected', question: order.question, metrics: (await loaded?.metrics?.collect()) ?? [] });
      return;
    case 'metrics':
      waiting.get(order.question)?.(order.processes);
      waiting.delete(order.question);
  }
}

/** Ends the process, which its supervisor then replaces. Open requests are first told that they failed. */
function giveUp(): void {
  void serving?.leave('replaced').catch(() => undefined);
  setTimeout(() => {
    void (async () => tell({ type: 'left', metrics: (await loaded?.metrics?.collect()) ?? [] }, () => process.exit(1)))();
  }, GIVE_UP_MS);
}

function tell(answer: Answer, then: () => void = () => undefined): void {
  process.send?.(answer, then);
}

/** Metrics of every process, whichever one is scraped. */
async function askForAll(own: Metrics): Promise<MetricsText> {
  const question = ++questions;
  const processes = await new Promise<readonly (readonly Metric[])[]>((resolve) => {
    waiting.set(question, resolve);
    tell({ type: 'ask metrics', question });
  });
  return await own.text(processes);
}

function consoleOf(level: LogLevel, json: boolean): Console {
  const verbosity = ({ warn: 'quiet', info: 'normal', debug: 'verbose' } as const)[level];
  return createConsole({ verbosity, json, stream: process.stderr, subject: {} });
}

function logTo(console: Console): Log {
  return {
    warn: (message, fields) => console.warn(message, fields),
    debug: (message, fields) => console.debug(message, fields),
    bug(error, fields = {}) {
      // A runtime's message may quote its input.
      const bug = error instanceof Error ? bugWithoutValues(error) : new Error('something other than an error was thrown');
      console.error(presentError(bug).text, fields);
    },
  };
}
