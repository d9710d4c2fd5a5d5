#!/usr/bin/env node
import path from 'node:path';
import { CommanderError } from 'commander';
import type { GlobalFlags } from './commands/options.ts';
import { buildProgram } from './commands/program.ts';
import type { Context } from './context.ts';
import { Interrupted, ScoreBatchError } from './errors.ts';
import { createConsole } from './terminal/console.ts';
import { presentError } from './terminal/error.ts';
import { readNow } from './window/now.ts';

process.exitCode = await main(process.argv.slice(2));

/** argv → command → exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // A second signal means now: nothing that is durable needs a clean end.
      if (interruption.signal.aborted) process.kill(process.pid, 'SIGKILL');
      interruption.abort(new Interrupted(signal));
    });
  }
  // `score-batch status | head` closes the pipe early; that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  // Commander may complain before any command has its flags.
  const json = argv.includes('--json');
  let printed = false;
  let quiet = false;
  const contextOf = (flags: GlobalFlags): Context => {
    quiet = flags.quiet ?? false;
    return {
      folder: path.resolve(flags.directory ?? '.'),
      environment: process.env,
      now: readNow(process.env),
      console: createConsole({
        verbosity: flags.quiet ? 'quiet' : flags.verbose ? 'verbose' : 'normal',
        json: process.env.SCORE_BATCH_LOG === 'json',
        stream: process.stderr,
      }),
      signal: interruption.signal,
    };
  };
  try {
    await buildProgram(contextOf, (text) => {
      printed = true;
      process.stdout.write(`${text}\n`);
    }).parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const { text, message, hint, exitCode, kind } = presentError(toUsage(error));
    // Nothing to score is no failure of anybody who asked for --skip-empty.
    if (kind !== 'nothing to score' || !quiet) process.stderr.write(`${text}\n`);
    if (json && !printed) {
      process.stdout.write(`${JSON.stringify({ error: { kind, exit_code: exitCode, message, hint: hint ?? null } })}\n`);
    }
    return exitCode;
  }
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
    hint: suggestion?.replace(/^\(|\)$/g, '') ?? '`score-batch --help` shows every flag',
  });
}
