import { existsSync, readFileSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import { buildProgram } from '../../src/commands/program.ts';
import { windowsBetween } from '../../src/window/bulk.ts';
import { type WindowFlags, windowFromFlags } from '../../src/window/flags.ts';
import { repository } from './project.ts';

const { scripts } = JSON.parse(readFileSync(repository('package.json'), 'utf8')) as { scripts: Record<string, string> };

/** Of npm's own commands, those that documents use. */
const NPM = ['audit', 'ci', 'install', 'pack', 'test'];

/**
 * Checks a command line of the documents without running it.
 *
 * @returns what it starts, if that is of this repository: `score-batch`, `npm` or `node`
 * @throws where it could not work
 */
export async function checkCommand([program = '', ...args]: readonly string[]): Promise<string | undefined> {
  switch (program.replace(/^\/usr\/bin\//, '')) {
    case 'score-batch':
      await parseScoreBatch(args);
      return 'score-batch';
    case 'npx':
      return await checkCommand(args.filter((arg) => arg !== '--no-install'));
    case 'npm':
      checkNpm(args);
      return 'npm';
    case 'node':
      return await checkNode(args);
    case 'docker': {
      const image = args.findIndex((arg) => arg.startsWith('score-batch:'));
      if (args[0] !== 'run' || image < 0) return undefined;
      return await checkCommand(['score-batch', ...args.slice(image + 1)]);
    }
    default:
      return undefined;
  }
}

function checkNpm(args: readonly string[]): void {
  const [command = '', script = ''] = args;
  if (command !== 'run') {
    if (!NPM.includes(command)) throw new Error(`npm ${command} is not used in the documents so far: is it right?`);
    return;
  }
  if (scripts[script] === undefined) throw new Error(`there is no npm script ${script}`);
  for (const file of args.filter((arg) => arg.endsWith('.ts'))) checkFile(file);
}

async function checkNode([file = '', ...args]: readonly string[]): Promise<string | undefined> {
  if (file.endsWith('node_modules/score-batch/dist/cli.js')) return await checkCommand(['score-batch', ...args]);
  checkFile(file);
  return 'node';
}

function checkFile(file: string): void {
  if (!existsSync(repository(file))) throw new Error(`there is no file ${file}`);
}

/** Parses with the program itself, whose commands do nothing here. */
async function parseScoreBatch(args: readonly string[]): Promise<void> {
  const none = () => undefined;
  const program = buildProgram(
    () => {
      throw new Error('a command was run');
    },
    none,
    none,
  );
  for (const command of leavesOf(program)) {
    command.action((...given: unknown[]) => {
      if (command.name() === 'run' && command.parent === program && given[0] !== undefined)
        throw new Error(`there is no command ${given[0]}`);
      // Of `stream replay` and `stream sql` they are instants, which are parsed with the options.
      if (command.name() === 'replay' || command.name() === 'sql') return;
      const { week, date, hour, from, to } = command.opts<WindowFlags>();
      if (command.name() === 'backfill')
        return void windowsBetween({ from, to }, 'week', 'Europe/Berlin', Date.UTC(2026, 10, 27));
      if (command.name() === 'rollback') return command.opts().shadow === true ? undefined : void checkRollback(command.opts());
      if ([week, date, hour, from, to].some((flag) => flag !== undefined))
        windowFromFlags({ week, date, hour, from, to }, 'Europe/Berlin', Date.UTC(2026, 10, 27));
    });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    // --help and --version end the program.
    if (!(error instanceof CommanderError && error.exitCode === 0)) throw error;
  }
}

/** Its `--to` is a run, not the end of a window. */
function checkRollback({ week, date, hour, from, until: to }: WindowFlags & { readonly until?: string }): void {
  windowFromFlags({ week, date, hour, from, to }, 'Europe/Berlin', Date.UTC(2026, 10, 27));
}

function leavesOf(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
}
