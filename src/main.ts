import { statSync } from 'node:fs';
import path from 'node:path';
import { CommanderError } from 'commander';
import { chooseMaxMemory, type GlobalFlags } from './commands/options.ts';
import { buildProgram } from './commands/program.ts';
import type { Context } from './context.ts';
import { printable, printableJson } from './domain/printable.ts';
import { prepareEnding } from './ending.ts';
import { ScoreBatchError } from './errors.ts';
import { registerSecretsOf, withoutSecrets } from './secrets.ts';
import { createConsole } from './terminal/console.ts';
import { presentError } from './terminal/error.ts';
import { createOutput, outputError } from './terminal/output.ts';
import { type Subject, subjectFields } from './terminal/subject.ts';
import { readNow } from './window/now.ts';

const ending = prepareEnding();
const closing: (() => Promise<void>)[] = [];
const exitCode = await main(process.argv.slice(2));
await ending.exit(exitCode, closing);

/** argv → command → exit code. */
async function main(argv: readonly string[]): Promise<number> {
  registerSecretsOf(process.env);
  const subject: Subject = {};
  // Node would print all properties of an error, and a request among them may contain a token.
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${printable(withoutSecrets(presentError(error, subject).text))}\n`);
    void ending.exit(1, []);
  });
  // `createOutput` reports failed writes. A log that nobody reads must not fail a run.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const output = createOutput(process.stdout);
  // Usage errors come before commands have their flags.
  const json = argv.includes('--json');
  let printed: { readonly data: unknown } | undefined;
  let quiet = false;
  const consoleOf = (flags: GlobalFlags) =>
    createConsole({
      verbosity: flags.quiet ? 'quiet' : flags.verbose ? 'verbose' : 'normal',
      json: process.env.SCORE_BATCH_LOG === 'json',
      stream: process.stderr,
      subject,
    });
  const contextOf = (flags: GlobalFlags): Context => {
    quiet = flags.quiet ?? false;
    if (flags.timeout) ending.deadline(flags.timeout.text, flags.timeout.ms);
    return {
      folder: workFolder(flags.directory),
      environment: process.env,
      maxMemory: chooseMaxMemory(flags, process.env),
      now: readNow(process.env),
      began: 0,
      console: consoleOf(flags),
      subject,
      signal: ending.signal,
      atEnd: (work) => void closing.push(work),
    };
  };
  const print = (line: string, data: unknown): void => {
    printed = { data };
    output.write(`${line}\n`);
  };
  /** @returns the exit code */
  const report = (error: unknown): number => {
    const { text, exitCode, message, details, hint, kind } = presentError(error, subject);
    const fields = { kind, exit_code: exitCode, message, details, hint: hint ?? null, ...subjectFields(subject) };
    // `check` has already printed what failed. With -q, --skip-empty is silent: the exit code is the answer.
    const expected = kind === 'nothing to score' && quiet;
    if (!printed && !expected) consoleOf({}).error(text, fields);
    if (json && !printed) output.write(`${withoutSecrets(printableJson({ error: fields }))}\n`);
    return exitCode;
  };
  let code = 0;
  try {
    refuseUnknownLog(process.env.SCORE_BATCH_LOG);
    const program = buildProgram(contextOf, print, output.write);
    await ending.soon(program.parseAsync(argv, { from: 'user' }));
  } catch (error) {
    if (!(error instanceof CommanderError && error.exitCode === 0)) code = report(error);
  }
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

function refuseUnknownLog(format: string | undefined): void {
  if (!format || format === 'json' || format === 'text') return;
  throw new ScoreBatchError('usage', `SCORE_BATCH_LOG=${format} is not a valid log format`, { hint: 'use json or text' });
}
