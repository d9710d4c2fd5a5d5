import { setTimeout as delay } from 'node:timers/promises';
import type { Console } from '../../terminal/console.ts';
import { openKafka } from '../kafka/open.ts';
import type { Log } from '../log.ts';
import { createFlow } from '../partition/flow.ts';
import { createDecoder } from '../score/decode.ts';
import { openScorer } from '../score/open-scorer.ts';
import { createRecordWriter } from '../score/outputs.ts';
import type { StreamSettings } from '../settings.ts';
import { createPartitionWindow } from '../window/window.ts';
import { attributesInUse } from './attributes-in-use.ts';
import { CLOCK } from './clock.ts';
import { kafkaLogOf } from './kafka-log.ts';
import { createMetrics } from './metrics.ts';
import { listen } from './metrics-server.ts';
import { switchModel } from './model-switch.ts';
import { onPauseSignal } from './pause-signal.ts';
import { tellOf } from './told.ts';
import { checkTopics } from './topic-checks.ts';

export interface StreamRun {
  /** Reads the stream job and its files, at the start and at each SIGHUP. */
  readonly read: () => Promise<StreamSettings>;
  readonly start: 'earliest' | 'latest';
  readonly acceptNewGroup: boolean;
  readonly acceptFeatures: boolean;
  readonly hashKey: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly console: Pick<Console, 'info' | 'warn' | 'debug'>;
  /** Aborted by the signal that ends the stream. */
  readonly signal: AbortSignal;
  /** See `Context`. */
  readonly serving: (how: { reload(): void; readonly graceMs: number }) => void;
  /** Opens the log; replaced in tests. */
  readonly open?: (settings: StreamSettings, console: Pick<Console, 'warn' | 'debug'>) => Promise<Log>;
}

/** Time to shut down: transactions in flight, leaving the group, closing connections. */
const GRACE_MS = 28_000;
/** A second less, so that the command itself ends, and says so: after the grace a process dies by its signal. */
const CLOSE_MS = GRACE_MS - 1000;

/**
 * Scores the events of a topic until a signal ends it.
 *
 * @throws ScoreBatchError `configuration` if topics, features, attributes and model do not fit together, or exactness cannot be
 * kept; `unavailable` if Kafka or a warehouse cannot be reached, or memory is exhausted
 */
export async function runStream(run: StreamRun): Promise<void> {
  const { console, signal, serving, environment } = run;
  const settings = await run.read();
  const { features, limits } = settings;
  const closing: (() => Promise<void>)[] = [];
  const ended = endings(signal);
  let reload = (): void => undefined;
  // Install the handler first: unhandled, SIGUSR2 ends a process.
  const pausing = onPauseSignal(console);
  closing.push(async () => pausing.end());
  serving({ reload: () => reload(), graceMs: GRACE_MS });
  try {
    const log = await (run.open ?? openLog)(settings, console);
    closing.push(() => log.close());
    const { mostBytes } = await checkTopics(log, settings, (message) => console.warn(message));
    const attributes = await attributesInUse(settings, { log, fail: ended.fail, environment, console, signal });
    if (attributes !== undefined) closing.push(() => attributes.close());
    const model = await switchModel({
      settings,
      attributes: attributes?.columns ?? [],
      read: run.read,
      open: openScorer,
      console,
    });
    closing.push(() => model.close());
    const metrics =
      settings.metrics &&
      (await createMetrics(() => ({
        ...{ partitions: flow.partitions, attributes, scorer: model.current, paused: pausing.paused },
      })));
    const told = tellOf(console, metrics);
    const flow = createFlow({
      ...{ log, settings, attributes, mostBytes, clock: CLOCK, observer: told, scorer: model.current },
      ...{ start: run.start, acceptNewGroup: run.acceptNewGroup, acceptFeatures: run.acceptFeatures },
      windowOf: createPartitionWindow,
      decode: createDecoder(features, limits.messageBytes),
      outputs: createRecordWriter(settings, run.hashKey),
      random: Math.random,
      onFatal: ended.fail,
    });
    pausing.of(flow);
    if (settings.metrics !== undefined && metrics !== undefined) {
      const ready = () => !signal.aborted && flow.ready;
      const server = await listen(settings.metrics, { metrics, ready });
      closing.push(() => server.close());
      console.info(`metrics at ${server.address}/metrics`, { event: 'listening', http: server.address });
    }
    closing.push(async () => {
      await flow.finish();
      told.end();
    });
    if (signal.aborted) return;
    told.joining();
    // A signal also ends it while joining.
    await Promise.race([flow.start(), ended.promise]);
    if (signal.aborted) return;
    say(settings, model.current, console);
    reload = () => {
      void model.renew(flow).then((outcome) => outcome !== undefined && metrics?.switched(outcome));
    };
    await ended.promise;
    console.info('shutting down: transactions in flight are committed', { event: 'drain' });
  } finally {
    reload = () => undefined;
    // Close in reverse order of opening: nothing is closed while something still uses it.
    let isLate = false;
    const late = sleep(CLOSE_MS).then(() => {
      isLate = true;
    });
    for (const close of closing.reverse()) await Promise.race([close(), late]);
    if (isLate)
      console.warn(
        `not everything was closed within ${CLOSE_MS / 1000} s: the next start continues after the last committed transaction`,
      );
  }
  console.info('ended');
}

async function openLog({ kafka }: StreamSettings, console: Pick<Console, 'warn' | 'debug'>): Promise<Log> {
  return await openKafka(kafka, kafkaLogOf(console));
}

function say(
  { input, group, features, output }: StreamSettings,
  model: { readonly name: string; readonly version: string; readonly digest: string },
  console: Pick<Console, 'info'>,
): void {
  const { name, version, digest } = model;
  console.info(`scoring ${input} with ${name} ${version} as of ${features.asOf}, as group ${group}, to ${output.scores}`, {
    ...{ event: 'started', input, group, output: output.scores, model: { name, version, digest }, features: features.digest },
  });
}

/** A sleep that does not keep the process alive. */
function sleep(ms: number): Promise<void> {
  return delay(ms, undefined, { ref: false });
}

/** Resolves when a signal ends the stream; rejects with the error that ends it. */
function endings(signal: AbortSignal): { readonly promise: Promise<void>; readonly fail: (error: unknown) => void } {
  let fail: (error: unknown) => void = () => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    fail = reject;
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  // It may reject before anybody awaits it; later awaits still see the error.
  promise.catch(() => undefined);
  return { promise, fail };
}
