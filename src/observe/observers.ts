import type { Context } from '../context.ts';
import { CLOSE_MS, type RunObserver } from './observer.ts';

type Invocation = NonNullable<Context['invocation']>;

/** Creates an observer from the environment; undefined if that has nothing usable, which was then warned about. */
type Make = (environment: NodeJS.ProcessEnv, console: Context['console']) => Promise<RunObserver | undefined>;

interface Kind {
  /** What it sends, in words. */
  readonly name: string;
  readonly isWanted: (environment: NodeJS.ProcessEnv) => boolean;
  /** Loads the observer's code: a run without observers loads none. */
  readonly make: Make;
}

/** In order of notification. `make` dynamically imports the observer's file and calls it. */
const KINDS: readonly Kind[] = [
  {
    name: 'OpenTelemetry',
    isWanted: (environment) =>
      environment.OTEL_SDK_DISABLED?.toLowerCase() !== 'true' &&
      ['', '_TRACES', '_METRICS'].some((signal) => environment[`OTEL_EXPORTER_OTLP${signal}_ENDPOINT`]),
    make: async (...of) => (await import('../telemetry/observer.ts')).telemetryObserver(...of),
  },
  {
    name: 'the metrics file',
    isWanted: ({ SCORE_BATCH_METRICS_FILE: file }) => Boolean(file),
    make: async ({ SCORE_BATCH_METRICS_FILE: file = '' }, console) =>
      (await import('../metrics-file/observer.ts')).metricsFileObserver(file, console),
  },
  {
    name: 'lineage',
    isWanted: ({ OPENLINEAGE_URL: url, OPENLINEAGE_DISABLED: disabled }) => Boolean(url) && disabled?.toLowerCase() !== 'true',
    make: async (...of) => (await import('../lineage/observer.ts')).lineageObserver(...of),
  },
];

const NOBODY: readonly RunObserver[] = [];

const made = new WeakMap<Invocation, Promise<readonly RunObserver[]>>();

/** The observers of this invocation, created for its first run and closed at its end. Never rejects. */
export async function observersOf({ environment, invocation }: Context): Promise<readonly RunObserver[]> {
  if (invocation === undefined) return NOBODY;
  const before = made.get(invocation);
  if (before !== undefined) return await before;
  const wanted = KINDS.filter(({ isWanted }) => isWanted(environment));
  const making = wanted.length === 0 ? Promise.resolve(NOBODY) : makeAll(wanted, environment, invocation);
  made.set(invocation, making);
  return await making;
}

async function makeAll(kinds: readonly Kind[], environment: NodeJS.ProcessEnv, { console, atEnd }: Invocation) {
  const observers = new Map<string, RunObserver>();
  for (const { name, make } of kinds) {
    try {
      const observer = await make(environment, console);
      if (observer !== undefined) observers.set(name, observer);
    } catch (error) {
      console.warn(`${name} cannot be set up: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (observers.size > 0) atEnd(() => closeAll(observers, console));
  return [...observers.values()];
}

/**
 * Waits until everything is sent, for at most `CLOSE_MS`, and warns about the rest.
 *
 * @param observers by the name of what they send
 */
export async function closeAll(
  observers: ReadonlyMap<string, Pick<RunObserver, 'close'>>,
  console: Pick<Context['console'], 'warn' | 'debug'>,
): Promise<void> {
  const open = new Set(observers.keys());
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS);
  });
  const closing = [...observers].map(async ([name, observer]) => {
    try {
      await observer.close();
    } catch (error) {
      console.debug(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    open.delete(name);
  });
  await Promise.race([Promise.all(closing), late]);
  clearTimeout(timer);
  if (open.size > 0) console.warn(`not everything was sent within ${CLOSE_MS / 1000} s: ${[...open].join(' and ')}`);
}
