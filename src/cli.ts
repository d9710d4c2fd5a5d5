#!/usr/bin/env node
import { statSync } from 'node:fs';
import path from 'node:path';
import { CommanderError } from 'commander';
import type { GlobalFlags } from './commands/options.ts';
import { buildProgram } from './commands/program.ts';
import type { Context } from './context.ts';
import { prepareEnding } from './ending.ts';
import { ScoreBatchError } from './errors.ts';
import { keepSecretsOf, withoutSecrets } from './secrets.ts';
import { createConsole } from './terminal/console.ts';
import { presentError } from './terminal/error.ts';
import { readNow } from './window/now.ts';

const ending = prepareEnding();
const closing: (() => Promise<void>)[] = [];
const exitCode = await main(process.argv.slice(2));
await ending.exit(exitCode, closing);

/** argv → command → exit code. */
async function main(argv: readonly string[]): Promise<number> {
  keepSecretsOf(process.env);
  // Node would show all that hangs on an error: requests do, with tokens in them.
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${withoutSecrets(presentError(error).text)}\n`);
    void ending.exit(1, []);
  });
  // `score-batch status | head` closes the pipe early, and a log collector may die: neither is a reason to fail a run.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  // Commander may complain before any command has its flags.
  const json = argv.includes('--json');
  let printed = false;
  let quiet = false;
  const consoleOf = (flags: GlobalFlags) =>
    createConsole({
      verbosity: flags.quiet ? 'quiet' : flags.verbose ? 'verbose' : 'normal',
      json: process.env.SCORE_BATCH_LOG === 'json',
      stream: process.stderr,
    });
  const contextOf = (flags: GlobalFlags): Context => {
    quiet = flags.quiet ?? false;
    if (flags.timeout) ending.deadline(flags.timeout.text, flags.timeout.ms);
    return {
      folder: workFolder(flags.directory),
      // The flag is what the variable says, for this call.
      environment: flags.maxMemory ? { ...process.env, SCORE_BATCH_MEMORY: flags.maxMemory } : process.env,
      now: readNow(process.env),
      began: 0,
      console: consoleOf(flags),
      signal: ending.signal,
      atEnd: (work) => void closing.push(work),
    };
  };
  try {
    refuseUnknownLog(process.env.SCORE_BATCH_LOG);
    const program = buildProgram(contextOf, (text) => {
      printed = true;
      process.stdout.write(`${text}\n`);
    });
    await ending.soon(program.parseAsync(argv, { from: 'user' }));
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const { text, exitCode, ...fields } = presentError(toUsage(error));
    const told = {
      kind: fields.kind,
      exit_code: exitCode,
      message: fields.message,
      details: fields.details,
      hint: fields.hint ?? null,
    };
    // A check has said already what failed; nothing to score is no failure of anybody who asked for --skip-empty.
    const wanted = fields.kind === 'nothing to score' && quiet;
    if (!printed && !wanted) consoleOf({}).error(text, told);
    if (json && !printed) process.stdout.write(`${withoutSecrets(JSON.stringify({ error: told }))}\n`);
    return exitCode;
  }
}

function workFolder(directory = '.'): string {
  const folder = path.resolve(directory);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  throw new ScoreBatchError('usage', `there is no folder ${folder}`, { hint: 'check the path after -C' });
}

function refuseUnknownLog(format: string | undefined): void {
  if (!format || format === 'json' || format === 'text') return;
  throw new ScoreBatchError('usage', `SCORE_BATCH_LOG=${format} is no log format`, { hint: 'use json or text' });
}

/** Commander's complaints about flags, in this program's words. */
function toUsage(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (error.code === 'commander.help') {
    return new ScoreBatchError('usage', 'a command is missing after model', {
      hint: '`score-batch model inspect BUNDLE` or `score-batch model verify BUNDLE`',
    });
  }
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  return new ScoreBatchError('usage', message, {
    hint:
      suggestion?.replace(/^\(|\)$/g, '') ??
      '`score-batch --help` shows the flags of a run, `score-batch COMMAND --help` those of a command',
  });
}
