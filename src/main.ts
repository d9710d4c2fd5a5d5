import { statSync } from 'node:fs';
import path from 'node:path';
import { CommanderError } from 'commander';
import { chooseMaxMemory, type GlobalFlags } from './commands/options.ts';
import { buildProgram } from './commands/program.ts';
import type { Context } from './context.ts';
import { printable, printableJson } from './domain/printable.ts';
import { type Ending, prepareEnding } from './ending.ts';
import { ScoreBatchError } from './errors.ts';
import { schemaName } from './json/versions.ts';
import { registerSecretsOf, withoutSecrets } from './secrets.ts';
import { paletteOf } from './terminal/colour.ts';
import { createConsole } from './terminal/console.ts';
import { presentError } from './terminal/error.ts';
import { type Live, NO_LIVE } from './terminal/live.ts';
import { createOutput, outputError } from './terminal/output.ts';
import { type Subject, subjectFields } from './terminal/subject.ts';
import { readNow } from './window/now.ts';

const SECONDS = /^\d{1,6}(\.\d+)?$/;

/** One call of the command line, with what its process provides. */
export interface Call {
  /** Without the names of Node and the script. */
  readonly argv: readonly string[];
  readonly stdout: Parameters<typeof createOutput>[0] & { readonly isTTY?: boolean };
  readonly stderr: Parameters<typeof createConsole>[0]['stream'];
  /** Filled in by the command. */
  readonly subject: Subject;
  /** Start of the call on the `performance.now()` clock; 0 if the process runs only this call. */
  readonly began: number;
  readonly ending: Pick<Ending, 'signal' | 'deadline' | 'soon' | 'serving'>;
  /** Registers work for the end of the call, whatever its outcome. */
  readonly atEnd: Context['atEnd'];
}

/** The call that this process was started for, with its arguments, streams and signals, and how to end the process after it. */
export function ownCall(): { readonly call: Call; exit(code: number): Promise<void> } {
  const ending = prepareEnding();
  const closing: (() => Promise<void>)[] = [];
  const subject: Subject = {};
  // Node would print all properties of an error, among them a request that may contain a token.
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${printable(withoutSecrets(presentError(error, subject).text))}\n`);
    void ending.exit(1, []);
  });
  // `createOutput` reports failed writes. A log that nobody reads must not fail a run.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const call: Call = {
    argv: process.argv.slice(2),
    stdout: process.stdout,
    stderr: process.stderr,
    subject,
    began: 0,
    ending,
    atEnd: (work) => void closing.push(work),
  };
  return { call, exit: (code) => ending.exit(code, closing) };
}

/**
 * argv → command → exit code. Folder and environment are those of the process, where threads and libraries read them. Tests
 * call it in a process that runs several commands.
 */
export async function callCommandLine({ argv, stdout, stderr, subject, began, ending, atEnd }: Call): Promise<number> {
  registerSecretsOf(process.env);
  const output = createOutput(stdout);
  // Usage errors occur before commands have their flags.
  const json = argv.includes('--json');
  let printed: { readonly data: unknown } | undefined;
  let quiet = false;
  let live: Live = NO_LIVE;
  const consoleOf = (flags: GlobalFlags) =>
    createConsole({
      verbosity: flags.quiet ? 'quiet' : flags.verbose ? 'verbose' : 'normal',
      json: process.env.SCORE_BATCH_LOG === 'json',
      stream: stderr,
      subject,
      palette: paletteOf(stderr, process.env),
      ...terminalOptions(process.env),
    });
  const contextOf = (flags: GlobalFlags): Context => {
    quiet = flags.quiet ?? false;
    const console = consoleOf(flags);
    live = console.live;
    if (flags.timeout) ending.deadline(flags.timeout.text, flags.timeout.ms);
    return {
      folder: workFolder(flags.directory),
      environment: process.env,
      maxMemory: chooseMaxMemory(flags, process.env),
      now: readNow(process.env),
      began,
      console,
      subject,
      signal: ending.signal,
      serving: ending.serving,
      atEnd,
      invocation: { console, atEnd },
    };
  };
  const print: Parameters<typeof buildProgram>[1] = (line, data, paint) => {
    live.rest();
    printed = { data };
    output.write(`${paint?.(line, paletteOf(stdout, process.env)) ?? line}\n`);
  };
  /** @returns the exit code */
  const report = (error: unknown): number => {
    live.rest();
    const { text, exitCode, message, details, hint, kind } = presentError(error, subject);
    const fields = { kind, exit_code: exitCode, message, details, hint: hint ?? null, ...subjectFields(subject) };
    // `check` has already printed what failed. With -q, --skip-empty is silent: the exit code is the answer.
    const expected = kind === 'nothing to score' && quiet;
    if (!printed && !expected) consoleOf({}).error(text, fields);
    if (json && !printed) output.write(`${withoutSecrets(printableJson({ schema: schemaName('error'), error: fields }))}\n`);
    return exitCode;
  };
  let code = 0;
  try {
    refuseUnknownLog(process.env.SCORE_BATCH_LOG);
    refuseInterval(process.env.SCORE_BATCH_PROGRESS_SECONDS);
    const program = buildProgram(contextOf, print, output.write);
    await ending.soon(program.parseAsync(argv, { from: 'user' }));
  } catch (error) {
    if (!(error instanceof CommanderError && error.exitCode === 0)) code = report(error);
  }
  live.rest();
  const lost = await output.failure();
  if (lost === undefined) return code;
  const { text, exitCode, ...fields } = presentError(outputError(lost, printed?.data), subject);
  consoleOf({}).error(text, { ...fields, exit_code: exitCode });
  return code === 0 ? exitCode : code;
}

function workFolder(directory = '.'): string {
  const folder = path.resolve(directory);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  throw new ScoreBatchError('usage', `the folder ${folder} does not exist`, { hint: 'check the path after -C' });
}

/** The environment's settings for the terminal and for progress. */
function terminalOptions({ TERM, LC_ALL, LC_CTYPE, LANG, SCORE_BATCH_PROGRESS_SECONDS: seconds }: NodeJS.ProcessEnv) {
  const charset = LC_ALL || LC_CTYPE || LANG || '';
  return {
    dumb: TERM === 'dumb',
    unicode: /utf-?8/i.test(charset),
    ...(seconds && SECONDS.test(seconds) && { progressMs: Number(seconds) * 1000 }),
  };
}

function refuseUnknownLog(format: string | undefined): void {
  if (!format || format === 'json' || format === 'text') return;
  throw new ScoreBatchError('usage', `SCORE_BATCH_LOG=${format} is not a valid log format`, { hint: 'use json or text' });
}

function refuseInterval(seconds: string | undefined): void {
  if (!seconds || SECONDS.test(seconds)) return;
  throw new ScoreBatchError('usage', `SCORE_BATCH_PROGRESS_SECONDS=${seconds} is not a number of seconds`, {
    hint: 'use a number such as 30; 0 writes no line',
  });
}
