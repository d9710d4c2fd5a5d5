import { Command } from 'commander';
import type { Context } from '../context.ts';
import { printable, printableJson } from '../domain/printable.ts';
import { isJsonName, schemaName } from '../json/versions.ts';
import { VERSION } from '../versions.ts';
import type { CommandLine, PaintText } from './command-line.ts';
import { rewordUsageErrors } from './complaint.ts';
import { addModelCommands } from './model-group.ts';
import { addBounds, type GlobalFlags } from './options.ts';
import { addResultCommands } from './results-group.ts';
import { addRunCommands } from './run-group.ts';
import { addServeCommand } from './serve-group.ts';
import { addStreamCommands } from './stream-group.ts';
import { addUpkeepCommands } from './upkeep-group.ts';

const CRON = `
In cron, with absolute paths (Mondays at 6:00; docs/troubleshooting.md explains the exit codes):
  0 6 * * 1  cd /srv/churn && /usr/bin/node node_modules/score-batch/dist/cli.js -q --week

Environment: SCORE_BATCH_JOB, SCORE_BATCH_NOW (an instant with offset), SCORE_BATCH_MEMORY (same as --max-memory),
SCORE_BATCH_REQUEST_SECONDS (timeout of a warehouse request, default 60), SCORE_BATCH_SHARDS,
SCORE_BATCH_HASH_KEY (for hashes in the quarantine table), SCORE_BATCH_LOG=json, NO_COLOR, FORCE_COLOR`;

/**
 * The command line.
 *
 * @param print writes a line to stdout; `data` is the object that the line shows, and `paint` colours it
 */
export function buildProgram(
  contextOf: (flags: GlobalFlags) => Context,
  print: (line: string, data: unknown, paint?: PaintText) => void,
  writeHelp: (text: string) => void,
): Command {
  const program = addBounds(new Command('score-batch'))
    .description('Scores the rows of a window in a data warehouse with an ONNX model and publishes the scores exactly once.')
    .version(VERSION)
    .option('--json', 'print one JSON object to stdout')
    .option('-q, --quiet', 'print only warnings and errors')
    .option('-v, --verbose', 'print more')
    .option('-C, --directory <folder>', 'work in this folder')
    .configureOutput({ writeOut: writeHelp, writeErr: () => undefined })
    // Set first: commands copy this configuration when they are created.
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', CRON);
  const context = (): Context => contextOf(program.opts<GlobalFlags>());
  let called = '';
  program.hook('preAction', (_, command) => {
    called = jsonNameOf(command);
  });
  const show: CommandLine['show'] = ({ data, text, paint }) => {
    if (program.opts<GlobalFlags>().json) print(printableJson(withSchema(called, data)), data);
    else if (text !== '') print(printable(text), data, paint);
  };
  const showData: CommandLine['showData'] = (data) => show({ data, text: '' });

  const line: CommandLine = { program, context, show, showData };
  const run = addRunCommands(line);
  addResultCommands(line);
  addUpkeepCommands(line);
  addModelCommands(line);
  addServeCommand(line);
  addStreamCommands(line);
  showRunFlagsInHelp(program, run);
  rewordUsageErrors(program);
  return program;
}

/** A command's name, joined with hyphens: `plan`, `model-verify`. */
export function jsonNameOf(command: Command): string {
  const { parent } = command;
  return parent === null || parent.parent === null ? command.name() : `${jsonNameOf(parent)}-${command.name()}`;
}

/** The output of `--json`, beginning with the name of its schema. */
function withSchema(name: string, data: object): object {
  return isJsonName(name) ? { schema: schemaName(name), ...data } : data;
}

/** `run` is the default command, so the root's help shows its flags. */
function showRunFlagsInHelp(program: Command, run: Command): void {
  program.configureHelp({
    showGlobalOptions: true,
    visibleOptions(command) {
      const own = Object.getPrototypeOf(this).visibleOptions.call(this, command);
      return command === program ? [...run.options, ...own] : own;
    },
  });
  program.usage('[command] [options]');
}
