import { type Command, InvalidArgumentError } from 'commander';
import type { Context } from '../context.ts';
import { parseByteSize } from '../domain/byte-size.ts';
import { PROVIDERS } from '../domain/provider.ts';
import type { Grain, Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import { suggestProvider } from '../suggest.ts';
import { refuseOpen, refusePart, type WindowFlags, windowFromFlags } from '../window/flags.ts';

/** Flags of every command, before or after its name. */
export interface GlobalFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly directory?: string;
  readonly timeout?: Duration;
  /** Bytes. */
  readonly maxMemory?: number;
}

export interface Duration {
  /** As typed. */
  readonly text: string;
  readonly ms: number;
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** Node's timers are limited to 24.8 days. */
const MAX_HOURS = 480;

/** Adds deadline and memory limit, which every command accepts, before or after its name. */
export function addBounds(command: Command): Command {
  return command
    .option('--timeout <duration>', 'end after this time with exit code 69, e.g. 90s, 30m, 2h', toDuration)
    .option('--max-memory <size>', 'peak memory of the process, e.g. 512MiB (or SCORE_BATCH_MEMORY)', toByteSize);
}

function toByteSize(text: string): number {
  const bytes = parseByteSize(text);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError('It must be a size such as 512MiB or 2GB.');
}

/**
 * The memory limit of the call in bytes: `--max-memory`, otherwise SCORE_BATCH_MEMORY; undefined if neither is set.
 *
 * @throws ScoreBatchError `usage` if the variable is not a size
 */
export function chooseMaxMemory({ maxMemory }: GlobalFlags, environment: NodeJS.ProcessEnv): number | undefined {
  const text = environment.SCORE_BATCH_MEMORY;
  if (maxMemory !== undefined || !text) return maxMemory;
  const bytes = parseByteSize(text);
  if (bytes !== undefined) return bytes;
  throw new ScoreBatchError('usage', `SCORE_BATCH_MEMORY=${text} is not a valid memory size`, {
    hint: 'use a size such as 512MiB or 2GB',
  });
}

export function toDuration(text: string): Duration {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? 0);
  if (ms > 0 && ms <= MAX_HOURS * 3_600_000) return { text, ms };
  throw new InvalidArgumentError(`It must be a duration of at most ${MAX_HOURS} hours, such as 90s, 30m or 2h.`);
}

export interface JobFlags {
  readonly job?: string;
}

export interface WindowOptions extends WindowFlags {
  readonly allowOpen?: boolean;
  readonly whole?: boolean;
}

export const FORCE_REPORT = 'replace a report file that this job did not write';
export const FORCE_RUN = `${FORCE_REPORT}, and publish scores that were rolled back`;

export function addJobOption(command: Command): Command {
  return command.option(
    '--job <name|file>',
    'name of a job in jobs/, or path of a job file (default: SCORE_BATCH_JOB, else the only one)',
  );
}

/** Options for windows that have a name. */
export function addNamedWindowOptions(command: Command): Command {
  return command
    .option('--week [week]', 'ISO week, e.g. 2026-W47 (default: the last complete one)')
    .option('--date [date]', 'day, e.g. 2026-11-18 (default: yesterday)')
    .option('--hour [hour]', 'hour, e.g. 2026-11-18T09 (default: the last complete one)');
}

export function addWindowOptions(command: Command): Command {
  return addNamedWindowOptions(command)
    .option('--from <instant>', 'start of the window: a date, a local time, or an instant with offset')
    .option('--to <instant>', 'end of the window, exclusive')
    .option('--allow-open', 'allow a window that has not ended yet');
}

/**
 * The window that the flags select. @throws ScoreBatchError `usage` if it is still open, or not a whole window although it must
 * be
 */
export function chooseWindow(
  flags: WindowOptions,
  { time_zone: zone, every }: { readonly time_zone: string; readonly every: Grain },
  { now, subject }: Context,
): Window {
  const window = windowFromFlags(flags, zone, now);
  subject.window = window.label;
  if (flags.whole === true) refusePart(window, every);
  if (flags.allowOpen !== true) refuseOpen(window, now);
  return window;
}

export interface ModelFlags {
  readonly providers?: string;
}

/** Model commands run on cpu unless `--providers` names others. @throws ScoreBatchError `usage` for an unknown provider */
export function sessionOptions({ providers = 'cpu' }: ModelFlags): { providers: string[]; requireGpu: boolean } {
  const names = providers.split(',').map((provider) => provider.trim());
  for (const text of names) {
    const [, name = text] = /^(\w+)(:\d+)?$/.exec(text) ?? [];
    if ((PROVIDERS as readonly string[]).includes(name)) continue;
    throw new ScoreBatchError('usage', `--providers: there is no execution provider ${text}`, {
      hint: suggestProvider(name, PROVIDERS),
    });
  }
  return { providers: names, requireGpu: false };
}
