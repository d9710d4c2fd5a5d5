import type { Command, CommanderError, Option } from 'commander';
import { ScoreBatchError } from '../errors.ts';
import { didYouMean, nearest } from '../suggest.ts';

// Rewords Commander's usage errors. Each hint says what would work.

/** Rewords usage errors of every command, and refuses repeated flags. */
export function rewordUsageErrors(program: Command): void {
  for (const command of allCommands(program)) {
    command.exitOverride((error) => {
      throw error.exitCode === 0 ? error : explain(error, command, program);
    });
    for (const option of command.options) if (takesValue(option)) refuseRepetition(command, option);
  }
}

/** The error for a first word that is not a command. @param explicit whether `run` was written before it */
export function unknownWord(word: string, program: Command, explicit: boolean): ScoreBatchError {
  const names = program.commands.map((command) => command.name());
  if (!names.includes(word)) {
    const near = nearest(word, names);
    return usage(
      `${word} is not a command`,
      near === undefined ? `the commands are ${names.join(', ')}; use --job to name a job` : `did you mean ${near}?`,
    );
  }
  return explicit
    ? usage(`run takes no argument ${word}`, `remove run: \`score-batch ${word}\` is a command itself`)
    : usage(`the command ${word} comes after flags`, `put it first: \`score-batch ${word}\`, then its flags`);
}

function explain({ code, message }: CommanderError, command: Command, program: Command): ScoreBatchError {
  const name = nameOf(command);
  const text = message.replace(/^error: /, '').split('\n')[0] ?? '';
  const quoted = /'([^']*)'/.exec(text)?.[1] ?? '';
  const write = `use \`${usageOf(command)}\``;
  switch (code) {
    case 'commander.unknownOption':
      return unknownFlag(quoted.split('=')[0] ?? quoted, command, program);
    case 'commander.unknownCommand':
      return usage(`${name} ${quoted} is not a command`, didYouMean(quoted, namesOf(command)));
    case 'commander.help':
      return usage(`${name} needs a command`, `its commands are ${namesOf(command).join(', ')}`);
    case 'commander.excessArguments': {
      if (name === 'run') return unknownWord(command.args[0] ?? '', program, program.args[0] === 'run');
      const extra = command.args.slice(command.registeredArguments.length);
      return usage(`${name} takes no argument ${extra.join(' ')}`, write);
    }
    case 'commander.missingArgument':
      return usage(`${name} needs <${quoted}>`, write);
    case 'commander.optionMissingArgument':
      return usage(`${quoted.split(' ')[0]} needs a value`, `use ${quoted}`);
    case 'commander.missingMandatoryOptionValue':
      return usage(`${name} needs ${quoted}`, `${write} with ${quoted}`);
    default:
      return usage(text, `\`${usageOf(command, false)} --help\` shows the flags`);
  }
}

function unknownFlag(flag: string, command: Command, program: Command): ScoreBatchError {
  const name = nameOf(command);
  const owners = allCommands(program).filter(({ options }) =>
    options.some(({ short, long }) => flag === short || flag === long),
  );
  if (owners.length > 0) {
    const others = owners.map(nameOf).join(', ');
    return usage(`${name} has no flag ${flag}`, `it is a flag of ${others}; ${ownFlags(command, name)}`);
  }
  const known = [command, program].flatMap(({ options }) => options.flatMap(({ long }) => long ?? []));
  const near = flag.startsWith('--') ? nearest(flag, [...known, '--help']) : undefined;
  return usage(`unknown flag ${flag}`, near === undefined ? ownFlags(command, name) : `did you mean ${near}?`);
}

function ownFlags(command: Command, name: string): string {
  if (command.commands.length > 0) return `the commands of ${name} are ${namesOf(command).join(', ')}`;
  return `\`${usageOf(command, false)} --help\` lists the flags of ${name}`;
}

/** Options that name one window. */
const WINDOWS: Readonly<Record<string, string>> = { week: 'weeks', date: 'days', hour: 'hours' };

/** Refuses a repeated flag, for which Commander would silently use the last value. A variadic flag may repeat. */
function refuseRepetition(command: Command, option: Option): void {
  if (option.variadic) return;
  const values: (string | null)[] = [];
  command.on(`option:${option.name()}`, (value: string | null) => {
    values.push(value);
    if (values.length === 1) return;
    const given = values.map((one) => one ?? 'no value').join(' and ');
    const of = WINDOWS[option.name()];
    const hint = of === undefined ? 'give the flag once' : `for several ${of}, use \`score-batch backfill --from … --to …\``;
    throw usage(`--${option.name()} is given twice, with ${given}`, hint);
  });
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

function namesOf({ commands }: Command): string[] {
  return commands.map((command) => command.name());
}

/** `model inspect`; the root is called `run`, the default command. */
function nameOf(command: Command): string {
  const { parent } = command;
  if (parent === null) return 'run';
  return parent.parent === null ? command.name() : `${nameOf(parent)} ${command.name()}`;
}

/** `score-batch model inspect <path>` */
function usageOf(command: Command, withArguments = true): string {
  const words = command.registeredArguments.map((argument) => `<${argument.name()}>`);
  return ['score-batch', nameOf(command), ...(withArguments ? words : [])].join(' ');
}

function usage(message: string, hint: string): ScoreBatchError {
  return new ScoreBatchError('usage', message, { hint });
}
