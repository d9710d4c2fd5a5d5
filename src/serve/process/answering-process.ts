// The entry of a process that answers. It does what its supervisor says, and ends with it.
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

/** What answers that say that the device failed may take. */
const GIVE_UP_MS = 200;

const waiting = new Map<number, (processes: readonly (readonly Metric[])[]) => void>();
let questions = 0;
let loaded: Loaded | undefined;
let serving: Serving | undefined;

// A terminal, or a service manager, sends them to all processes. The supervisor says what they mean.
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

/** Ends, because its supervisor then starts another process. Requests that it has in hand are told first that they failed. */
function giveUp(): void {
  void serving?.leave('replaced').catch(() => undefined);
  setTimeout(() => {
    void (async () => tell({ type: 'left', metrics: (await loaded?.metrics?.collect()) ?? [] }, () => process.exit(1)))();
  }, GIVE_UP_MS);
}

function tell(answer: Answer, then: () => void = () => undefined): void {
  process.send?.(answer, then);
}

/** Counts of every process, whichever was asked for them. */
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
      // The message of a runtime may quote what it was given.
      const bug = error instanceof Error ? bugWithoutValues(error) : new Error('something other than an error was thrown');
      console.error(presentError(bug).text, fields);
    },
  };
}
