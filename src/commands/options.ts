import type { Command } from 'commander';
import type { Window } from '../domain/window.ts';
import { refuseOpen, type WindowFlags, windowFromFlags } from '../window/flags.ts';

/** Flags that every command takes, before or after its name. */
export interface GlobalFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly directory?: string;
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
export function chooseWindow(flags: WindowOptions, zone: string, now: number): Window {
  const window = windowFromFlags(flags, zone, now);
  if (flags.allowOpen !== true) refuseOpen(window, now);
  return window;
}

export interface ModelFlags {
  readonly providers?: string;
}

/** Model commands run where they are told to, on cpu by default. */
export function sessionOptions({ providers }: ModelFlags): { providers: string[]; requireGpu: boolean } {
  return { providers: providers?.split(',').map((provider) => provider.trim()) ?? ['cpu'], requireGpu: false };
}
