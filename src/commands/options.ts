import { type Command, InvalidArgumentError } from 'commander';
import type { Context } from '../context.ts';
import { parseByteSize } from '../domain/byte-size.ts';
import { PROVIDERS } from '../domain/provider.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import { providerMeant } from '../suggest.ts';
import { refuseOpen, type WindowFlags, windowFromFlags } from '../window/flags.ts';

/** Flags that every command takes, before or after its name. */
export interface GlobalFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly directory?: string;
  readonly timeout?: Duration;
  /** As it was given. */
  readonly maxMemory?: string;
}

interface Duration {
  /** As it was given. */
  readonly text: string;
  readonly ms: number;
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** Timers count to 24.8 days. */
const MAX_HOURS = 480;

/** The deadline and the memory bound, which every command takes, before or after its name. */
export function addBounds(command: Command): Command {
  return command
    .option('--timeout <duration>', 'end after this time with exit code 69, e.g. 90s, 30m, 2h', toDuration)
    .option('--max-memory <size>', 'memory of the process at its peak, e.g. 512MiB (or SCORE_BATCH_MEMORY)', toByteSize);
}

function toByteSize(text: string): string {
  if (parseByteSize(text) !== undefined) return text;
  throw new InvalidArgumentError('It must be a size such as 512MiB or 2GB.');
}

function toDuration(text: string): Duration {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? 0);
  if (ms > 0 && ms <= MAX_HOURS * 3_600_000) return { text, ms };
  throw new InvalidArgumentError(`It must be a time of at most ${MAX_HOURS} hours, such as 90s, 30m or 2h.`);
}

export interface JobFlags {
  readonly job?: string;
}

export interface WindowOptions extends WindowFlags {
  readonly allowOpen?: boolean;
}

export function addJobOption(command: Command): Command {
  return command.option(
    '--job <name|file>',
    'job in jobs/, or path of a job file (default: SCORE_BATCH_JOB, else the only one)',
  );
}

export function addWindowOptions(command: Command): Command {
  return command
    .option('--week [week]', 'ISO week, e.g. 2026-W47 (default: the last complete one)')
    .option('--date [date]', 'day, e.g. 2026-11-18 (default: yesterday)')
    .option('--hour [hour]', 'hour, e.g. 2026-11-18T09 (default: the last complete one)')
    .option('--from <instant>', 'start of the window: a date, a local time, or an instant with offset')
    .option('--to <instant>', 'end of the window, exclusive')
    .option('--allow-open', 'take a window that is not over yet');
}

/** The window that the flags name, refused while it is open. */
export function chooseWindow(flags: WindowOptions, zone: string, { now, subject }: Context): Window {
  const window = windowFromFlags(flags, zone, now);
  subject.window = window.label;
  if (flags.allowOpen !== true) refuseOpen(window, now);
  return window;
}

export interface ModelFlags {
  readonly providers?: string;
}

/** Model commands run where they are told to, on cpu by default. @throws ScoreBatchError `usage` for a provider that there is not */
export function sessionOptions({ providers = 'cpu' }: ModelFlags): { providers: string[]; requireGpu: boolean } {
  const names = providers.split(',').map((provider) => provider.trim());
  for (const text of names) {
    const [, name = text] = /^(\w+)(:\d+)?$/.exec(text) ?? [];
    if ((PROVIDERS as readonly string[]).includes(name)) continue;
    throw new ScoreBatchError('usage', `--providers: there is no execution provider ${text}`, {
      hint: providerMeant(name, PROVIDERS),
    });
  }
  return { providers: names, requireGpu: false };
}
