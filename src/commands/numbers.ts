import { InvalidArgumentError } from 'commander';
import { parseMilliseconds } from '../domain/milliseconds.ts';
import { parseInstant } from '../window/now.ts';

/** The same limit as in the job file: each worker is a thread with its own model and database. */
export function workerNumber(text: string): number {
  const value = positiveInteger(text);
  if (value > 256) throw new InvalidArgumentError('It must be at most 256.');
  return value;
}

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a positive integer.');
  return value;
}

/** Each parallel window has its own model, database and connections. */
export function jobNumber(text: string): number {
  const value = positiveInteger(text);
  if (value > 64) throw new InvalidArgumentError('It must be at most 64.');
  return value;
}

/** At most a day: Node's timers fire at once beyond some 24 days. */
export function watchSeconds(text: string): number {
  const value = positiveInteger(text);
  if (value > 86_400) throw new InvalidArgumentError('It must be at most 86400.');
  return value;
}

/** A share of rows, such as `5%` or `0.05`: above 0, at most all. */
export function rowShare(text: string): number {
  const [, number = '', percent] = /^(\d+(?:\.\d+)?) ?(%)?$/.exec(text) ?? [];
  const share = Number(number) / (percent === undefined ? 1 : 100);
  if (share > 0 && share <= 1) return share;
  throw new InvalidArgumentError('It must be a share above 0 and at most 100%, such as 5% or 0.05.');
}

export function stopOrContinue(text: string): 'stop' | 'continue' {
  if (text === 'stop' || text === 'continue') return text;
  throw new InvalidArgumentError('It must be stop or continue.');
}

/** 0 lets the system choose. */
export function portNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new InvalidArgumentError('It must be a port, 0 to 65535.');
  return value;
}

/** `auto` means one per core; otherwise the same limit as in the settings file. */
export function processNumber(text: string): number | 'auto' {
  return text === 'auto' ? text : workerNumber(text);
}

export function milliseconds(text: string): number {
  const ms = parseMilliseconds(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('It must be a duration of at most a day, such as 200ms, 5s or 1m.');
}

/** Epoch milliseconds. */
export function instantOf(text: string): number {
  const instant = parseInstant(text);
  if (instant !== undefined) return instant;
  throw new InvalidArgumentError('It must be an instant with an offset, such as 2026-11-27T08:00:00Z.');
}
