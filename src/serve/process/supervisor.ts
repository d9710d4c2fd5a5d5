import { ScoreBatchError } from '../../errors.ts';
import type { Console } from '../../terminal/console.ts';
import { presentError } from '../../terminal/error.ts';
import { tryPort } from '../http/port.ts';
import { isLoopback } from '../loopback.ts';
import type { LogLevel, ServeSettings } from '../settings.ts';
import { startAnswering } from './answering.ts';
import { countProcesses } from './counted-processes.ts';
import { type Generation, startGeneration, type Upkeep } from './generation.ts';
import type { Addresses, LoadedModel } from './messages.ts';

export interface Supervision {
  /** Reads settings, tokens and certificates, at the start and at each reload. */
  readonly read: () => Promise<ServeSettings>;
  /** Whether log lines are JSON. */
  readonly json: boolean;
  readonly console: Console;
  /** Aborted by the signal that ends the server. */
  readonly signal: AbortSignal;
  /** See `Context`. */
  readonly serving: (how: { reload(): void; readonly graceMs: number }) => void;
}

/** Milliseconds that shutting down may take beyond the drain. */
const SLACK_MS = 5000;

/**
 * Starts the answering processes, replaces them on a reload or when one ends, and shuts them down. It answers no request and
 * loads no model itself, so no request can affect it.
 *
 * @throws ScoreBatchError `configuration` if a bundle does not prove itself, `unavailable` if a port is taken or no process
 * stays alive
 */
export async function supervise({ read, json, console: given, signal, serving }: Supervision): Promise<void> {
  const counts = countProcesses();
  let settings = await read();
  const console = levelled(given, () => settings.log);
  let current: Generation | undefined;
  let next: Generation | undefined;
  const replaced: Promise<void>[] = [];
  let asked = false;
  let starting = true;
  let working: Promise<void> | undefined;
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const upkeep: Upkeep = {
    console,
    start(own) {
      const process = startAnswering({ settings: own, json, allMetrics: counts.all });
      counts.add(process);
      return process;
    },
    lost: counts.lost,
    changed: () => reload(),
    gone: (error) => fail(error),
  };
  const allow = ({ drain }: ServeSettings) => {
    serving({ reload: () => void reload(), graceMs: drain.leadMs + drain.endMs + SLACK_MS });
  };

  /** Reads everything again. The old processes answer until the new ones have proved themselves, and stay if those do not. */
  async function reload(): Promise<void> {
    asked = true;
    if (starting) return;
    working ??= renew();
    await working;
  }

  async function renew(): Promise<void> {
    while (asked && !signal.aborted) {
      asked = false;
      try {
        const wanted = await read();
        const found = await withPorts(wanted, { before: settings, chosen: current?.settings });
        next = await startGeneration(found, upkeep, signal);
        const addresses = await next.listen();
        // The running processes may have been told to end meanwhile.
        signal.throwIfAborted();
        const old = current;
        [settings, current, next] = [wanted, next, undefined];
        counts.reloaded('done');
        allow(wanted);
        say(console, 'reloaded; listening', addresses, current);
        if (old !== undefined) replaced.push(old.leave('replaced'));
      } catch (error) {
        next?.kill();
        next = undefined;
        if (signal.aborted) break;
        counts.reloaded('refused');
        const { message, details, hint } = presentError(error);
        const why = [message, ...details.map((detail) => `  ${detail}`), ...(hint ? [`hint: ${hint}`] : [])].join('\n');
        console.warn(`the reload was refused, so the previous models and settings stay in use: ${why}`, { reload: 'refused' });
      }
    }
    working = undefined;
  }

  allow(settings);
  try {
    warnOf(settings, console);
    current = await startGeneration(await withPorts(settings, {}), upkeep, signal);
    say(console, 'listening', await current.listen(), current);
  } catch (error) {
    current?.kill();
    // A signal ended it while loading, as requested.
    if (signal.aborted) return;
    throw error;
  }
  starting = false;
  if (asked) void reload();
  try {
    await Promise.race([failed, aborted(signal)]);
  } catch (error) {
    current.kill();
    throw error;
  }
  const { leadMs } = current.settings.drain;
  console.info(`shutting down: requests are answered for another ${leadMs / 1000} s`, { event: 'drain' });
  next?.kill();
  await Promise.all([current.leave('ending'), ...replaced]);
  console.info('ended');
}

/** Finds available ports; a port that the system chose survives a reload. */
async function withPorts(
  settings: ServeSettings,
  { before, chosen }: { readonly before?: ServeSettings; readonly chosen?: ServeSettings | undefined },
): Promise<ServeSettings> {
  const { host, port, grpcPort } = settings;
  const same = before?.host === host;
  const tryIt = async (name: 'HTTP' | 'gRPC', wanted: number): Promise<number> => {
    try {
      return await tryPort(name, { host, port: wanted });
    } catch (error) {
      if (same || chosen === undefined || (wanted !== chosen.port && wanted !== chosen.grpcPort)) throw error;
      throw new ScoreBatchError(
        'unavailable',
        `this server itself uses port ${wanted} of ${chosen.host} until the reload is complete`,
        {
          hint: 'choose another port along with the new host, or stop the server and start it again',
          cause: error,
        },
      );
    }
  };
  const kept = same ? chosen : undefined;
  const http = kept !== undefined && (before?.port === port || kept.port === port) ? kept.port : await tryIt('HTTP', port);
  if (grpcPort === undefined) return { ...settings, port: http };
  const grpc =
    kept?.grpcPort !== undefined && (before?.grpcPort === grpcPort || kept.grpcPort === grpcPort)
      ? kept.grpcPort
      : await tryIt('gRPC', grpcPort);
  return { ...settings, port: http, grpcPort: grpc };
}

function say(console: Pick<Console, 'info'>, what: string, { http, grpc }: Addresses, { models, settings }: Generation): void {
  const where = grpc === undefined ? http : `${http} and ${grpc} (gRPC)`;
  console.info(`${what} on ${where}: ${models.map(describe).join(', ')}`, {
    event: 'listening',
    http,
    grpc: grpc ?? null,
    processes: settings.processes,
    models,
  });
}

function describe({ name, version, sameBits, largestDifference }: LoadedModel): string {
  if (sameBits) return `${name} ${version}`;
  const seen = Number(largestDifference.toPrecision(2));
  return `${name} ${version} (a score depends on the other rows of its run, by up to ${seen} as measured)`;
}

function warnOf({ host, tokens, tls }: ServeSettings, console: Pick<Console, 'warn'>): void {
  if (isLoopback(host) || tls !== undefined || tokens.length === 0) return;
  console.warn(
    'tokens are sent unencrypted: on a network that is not yours, use --tls-cert and --tls-key, or a proxy with TLS',
  );
}

/** Drops messages below the configured level. */
function levelled(console: Console, level: () => LogLevel): Pick<Console, 'info' | 'warn' | 'debug'> {
  return {
    info: (message, fields) => (level() === 'warn' ? undefined : console.info(message, fields)),
    warn: (message, fields) => console.warn(message, fields),
    debug: (message, fields) => console.debug(message, fields),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
