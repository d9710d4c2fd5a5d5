import type { Argument, Command, Option } from 'commander';

/** What may follow a command on the command line, read from the program itself. */
export interface Grammar {
  /** `model inspect`; empty for the program itself, which is also its default command. */
  readonly name: string;
  readonly description: string;
  /** Options of this command only. */
  readonly options: readonly Flag[];
  readonly values: readonly Value[];
  readonly commands: readonly Grammar[];
}

export interface Flag {
  /** `-q` and `--quiet`, or one of them. */
  readonly names: readonly string[];
  readonly description: string;
  /** Undefined for a flag without a value. */
  readonly value: Value | undefined;
  /** Whether the value may be left out. */
  readonly optional: boolean;
}

/** Kind of a value; `text` is anything that a shell cannot know. */
export type Value = { readonly kind: 'choice'; readonly choices: readonly string[] } | { readonly kind: Kind };
type Kind = 'job' | 'file' | 'folder' | 'text';

/** By the placeholder in `--help`, which is also all that people see. */
const KINDS: Readonly<Record<string, Kind>> = {
  'name|file': 'job',
  file: 'file',
  'sql|file': 'file',
  path: 'file',
  folder: 'folder',
  bundle: 'folder',
};

/** The program's commands and flags, `--help` included. */
export function grammarOf(program: Command): Grammar {
  const root = grammarOfCommand(program, '');
  const byDefault = program.commands.find((command) => command.name() === 'run');
  return { ...root, options: [...root.options, HELP], values: byDefault ? [] : root.values };
}

const HELP: Flag = { names: ['-h', '--help'], description: 'display help for command', value: undefined, optional: false };

function grammarOfCommand(command: Command, name: string): Grammar {
  return {
    name,
    description: command.description(),
    options: command.options.filter(({ hidden }) => !hidden).map(flagOf),
    // `run` takes an argument only in order to refuse it.
    values: command.registeredArguments.filter(({ required }) => required).map(valueOfArgument),
    commands: command.commands.map((child) => grammarOfCommand(child, `${name} ${child.name()}`.trim())),
  };
}

function flagOf({ short, long, description, flags, optional, required, argChoices }: Option): Flag {
  const placeholder = /[<[](.+)[>\]]/.exec(flags)?.[1] ?? '';
  const value = argChoices ? { kind: 'choice' as const, choices: argChoices } : { kind: KINDS[placeholder] ?? 'text' };
  return {
    names: [short, long].filter((one) => one !== undefined),
    description,
    value: required || optional ? value : undefined,
    optional,
  };
}

function valueOfArgument(argument: Argument): Value {
  if (argument.argChoices) return { kind: 'choice', choices: argument.argChoices };
  return { kind: KINDS[argument.name()] ?? 'text' };
}

/** Every command, the program itself first. */
export function allGrammars(grammar: Grammar): Grammar[] {
  return [grammar, ...grammar.commands.flatMap(allGrammars)];
}

/** The flags that may follow a command: its own, then the global ones. The program has those of `run`. */
function flagsAfter(grammar: Grammar, program: Grammar): readonly Flag[] {
  if (grammar !== program) return [...grammar.options, ...program.options];
  const run = program.commands.find(({ name }) => name === 'run');
  return [...(run?.options ?? []), ...program.options];
}

/** The names of all flags whose value is required, or optional. */
export function namesWithValue(program: Grammar, optional: boolean): string[] {
  const flags = allGrammars(program).flatMap(({ options }) => options);
  const fitting = flags.filter((flag) => flag.value !== undefined && flag.optional === optional);
  return [...new Set(fitting.flatMap(({ names }) => names))];
}

/** Flags grouped by value, for values that a shell can complete. */
function flagsByValue(program: Grammar): { readonly names: readonly string[]; readonly value: Value }[] {
  const found = new Map<string, { names: Set<string>; value: Value }>();
  for (const { names, value } of allGrammars(program).flatMap(({ options }) => options)) {
    if (value === undefined) continue;
    const key = value.kind === 'choice' ? value.choices.join(' ') : value.kind;
    const entry = found.get(key) ?? { names: new Set<string>(), value };
    for (const name of names) entry.names.add(name);
    found.set(key, entry);
  }
  return [...found.values()].map(({ names, value }) => ({ names: [...names], value }));
}

/** What differs between bash and zsh in the `case` branches that a script has for each command and flag. */
export interface Shell {
  /** Code that completes the value of a flag. */
  readonly completing: (value: Value) => string;
  /** Code that assigns a command's flags to `list`. */
  readonly listing: (flags: readonly Flag[]) => string;
  /** Code that completes the names of subcommands. */
  readonly naming: (commands: readonly Grammar[]) => string;
}

/** The `case` branches for bash and zsh, by what they match. */
export function branchesOf(program: Grammar, { completing, listing, naming }: Shell) {
  const all = allGrammars(program);
  const following = ({ commands, values: [value] }: Grammar) => {
    if (commands.length > 0) return naming(commands);
    return value === undefined || value.kind === 'text' ? ':' : completing(value);
  };
  const lines = {
    commands: all.filter(({ name }) => name !== '').map(({ name }) => `      ${quoted(name)}) command=$next ;;`),
    values: flagsByValue(program).map(({ names, value }) => `    ${names.join('|')}) ${completing(value)} ;;`),
    flags: all.map((grammar) => `      ${quoted(grammar.name)}) ${listing(flagsAfter(grammar, program))} ;;`),
    words: all.map((grammar) => `    ${quoted(grammar.name)}) ${following(grammar)} ;;`),
  };
  return {
    commands: lines.commands.join('\n'),
    values: lines.values.join('\n'),
    flags: lines.flags.join('\n'),
    words: lines.words.join('\n'),
  };
}

/** The last word of a command's name. */
export function lastWord({ name }: Grammar): string {
  return name.split(' ').at(-1) ?? '';
}

/** A string in single quotes, for bash and zsh. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
