import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { repository } from '../support/project.ts';
import { type Outcome, type Running, startScoreBatch } from '../support/score-batch.ts';
import type { Phase } from './effects.ts';
import type { CrashProject } from './project.ts';

const PRELOAD = pathToFileURL(repository('test', 'crash', 'preload.mjs')).href;

/** Where a process kills itself: in the n-th effect that matches. */
export interface CrashPoint {
  readonly pattern: RegExp;
  readonly occurrence: number;
  readonly phase: Phase;
}

/** The cron line. */
const RUN = ['run', '--week', '--json', '--workers', '1'];

/** Starts a command; the process kills itself at the point, if there is one and it comes there. */
export function start(
  { folder, environment }: Pick<CrashProject, 'folder' | 'environment'>,
  point?: CrashPoint,
  command: readonly string[] = RUN,
): Running {
  const at = point && JSON.stringify({ ...point, pattern: point.pattern.source });
  return startScoreBatch(folder, command, {
    ...environment,
    NODE_OPTIONS: `--import ${PRELOAD}`,
    CRASH_LOG: logOf(folder),
    ...(at && { CRASH_AT: at }),
  });
}

/** Runs a command, the cron line if none is given, to its end, or until it kills itself. @returns its effects, too, in order */
export async function run(
  project: Pick<CrashProject, 'folder' | 'environment'>,
  point?: CrashPoint,
  command: readonly string[] = RUN,
): Promise<Outcome & { effects: string[] }> {
  const before = (await effectsOf(project.folder)).length;
  const outcome = await start(project, point, command).ended;
  return { ...outcome, effects: (await effectsOf(project.folder)).slice(before) };
}

function logOf(folder: string): string {
  return path.join(folder, 'effects.log');
}

async function effectsOf(folder: string): Promise<string[]> {
  const text = await readFile(logOf(folder), 'utf8').catch(() => '');
  return text.split('\n').slice(0, -1);
}
