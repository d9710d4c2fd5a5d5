// The generated pages of docs/: prose from scripts/docs/, with generated parts. Pure, so that a test can compare them without a
// build.
import type { Command } from 'commander';
import { parse } from 'yaml';
import type { ErrorKind } from '../src/errors.ts';

/** JSON Schema, as far as the job file uses it. */
interface Property {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Property[];
  readonly items?: Property;
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Property | boolean;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly default?: unknown;
  readonly description?: string;
}

type Values = Readonly<Record<string, unknown>>;

/** Parts of a page, by the template comments that they replace. */
type Parts = Readonly<Record<string, string>>;

export interface NamedCommand {
  readonly name: string;
  readonly command: Command;
}

/** What each exit code means, by kind of error; the numbers are those of `EXIT_CODES`. */
const KINDS: Readonly<Record<ErrorKind, string>> = {
  usage: 'the command line or the window is wrong',
  refused: 'not published: the rows do not reconcile, a gate refuses, the window is empty, or `max_bytes` is exceeded',
  unavailable: 'the source is not ready, the network failed, or quota, disk or time ran out; a retry may help',
  report: 'published, but the report file (or the output of `--json`) could not be written',
  conflict: 'another process got there first, a chunk is missing, or the DuckDB file is in use; a retry may help',
  permission: 'no credentials, bad credentials, or a missing permission',
  configuration: 'the job file, the model, the query or the machine is not set up correctly',
  'nothing to score': 'the window has no rows, with `--skip-empty` only; Airflow skips on this code',
};

/** Examples for keys that cannot be in the example file because they exclude others. */
const EXAMPLES: Parts = {
  'source.query': 'select … where day >= :window_start_date',
  'source.events': '{ features: jobs/fraud.features.yaml, table: payments }',
  'labels.query': 'select customer_id, true as outcome …',
  'provider.device_id': '1',
  // The example's model has one score.
  'score.class': 'virginica',
  'score.classes': 'all',
};

/** A job file with only the required keys: everything else it has after parsing is a default. */
export const LEAST_JOB = {
  name: 'job',
  model: 'model',
  time_zone: 'UTC',
  source: { warehouse: 'duckdb:w.duckdb', query: 'select 1', key: ['id'] },
  sink: { table: 'marketing.scores' },
};

/**
 * Generates docs/job-file.md.
 *
 * @param template prose with a comment for each table
 * @param schema JSON Schema of the job file
 * @param example YAML of a job file that has every key
 * @param defaults the parsed `LEAST_JOB`
 */
export function jobFilePage(template: string, schema: Property, example: string, defaults: object): string {
  const job = parse(example) as Values;
  const known = defaults as Values;
  const properties = schema.properties ?? {};
  const isSection = (name: string) => name === 'features' || properties[name]?.properties !== undefined;
  const top = Object.fromEntries(Object.entries(properties).filter(([name]) => !isSection(name)));
  const tables = Object.entries(properties)
    .filter(([name]) => isSection(name))
    .map(([name, section]) => [`keys: ${name}`, sectionTable(name, section, job, known)]);
  const provider = properties.score?.properties?.providers?.items?.anyOf?.find(({ type }) => type === 'object');
  if (provider?.properties === undefined) throw new Error('score.providers is not a list of names and maps');
  return fill(template, {
    'keys: top': keyTable(top, schema.required ?? [], job, unwritten(known, LEAST_JOB), ''),
    ...Object.fromEntries(tables),
    'keys: provider': keyTable(
      provider.properties,
      provider.required ?? [],
      { name: 'cuda', devices: [0, 1] },
      {},
      'provider.',
    ),
    example: `\`\`\`yaml job\n${example.trim()}\n\`\`\``,
  });
}

function sectionTable(name: string, section: Property, job: Values, defaults: Values): string {
  if (name === 'features') return keyTable({ features: section }, [], job, {}, '');
  const written = (LEAST_JOB as Values)[name] as Values | undefined;
  const rest = unwritten((defaults[name] ?? {}) as Values, written);
  return keyTable(section.properties ?? {}, section.required ?? [], (job[name] ?? {}) as Values, rest, `${name}.`);
}

function keyTable(
  properties: Readonly<Record<string, Property>>,
  required: readonly string[],
  values: Values,
  defaults: Values,
  prefix: string,
): string {
  const rows = Object.entries(properties).map(([key, property]) => {
    const example = EXAMPLES[`${prefix}${key}`] ?? flow(values[key]);
    if (example === undefined) throw new Error(`${prefix}${key} has no example: add it to scripts/docs/job-file.yaml`);
    if (property.description === undefined) throw new Error(`${prefix}${key} has no description: add it to src/job/schema.ts`);
    const fallback = required.includes(key) ? 'required' : defaultOf(property, defaults[key]);
    return [code(key), typeOf(property), fallback, property.description, code(example)];
  });
  return table(['key', 'type', 'default', 'description', 'example'], rows);
}

function unwritten(parsed: Values, written: Values = {}): Values {
  return Object.fromEntries(Object.entries(parsed).filter(([key]) => !(key in written)));
}

/** @param parsed value of a left-out key after parsing; used only if the schema has no default in written form */
function defaultOf({ default: written }: Property, parsed: unknown): string {
  const value = flow(written ?? parsed);
  return value === undefined ? '–' : code(value);
}

/** A property of the schema in words. */
function typeOf(property: Property): string {
  const { type, anyOf, items, properties, additionalProperties } = property;
  if (property.const !== undefined) return code(String(property.const));
  if (property.enum) return property.enum.map(code).join(', ');
  if (anyOf?.some(({ pattern }) => pattern?.endsWith('%$'))) return 'share';
  if (anyOf?.some(({ pattern }) => pattern?.endsWith('B$'))) return 'size';
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(' or ');
  if (typeof type === 'object') return type.join(' or ');
  if (type === 'array') return `list of ${items?.anyOf ? 'providers' : plural(typeOf(items ?? {}))}`;
  if (type === 'object') {
    return properties || typeof additionalProperties !== 'object' ? 'map' : `map of ${plural(typeOf(additionalProperties))}`;
  }
  if (type === 'string') return 'text';
  if (type === 'boolean') return '`true`, `false`';
  return `${type === 'integer' ? 'integer' : 'number'}${range(property)}`;
}

function plural(type: string): string {
  if (type === 'text') return 'texts';
  return type.startsWith('integer')
    ? type.replace('integer', 'integers')
    : type.replace('string', 'texts').replace('number', 'numbers');
}

/** Bounds chosen by us; those of JavaScript's numbers are not shown. */
function range({ minimum, maximum, exclusiveMinimum }: Property): string {
  const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`;
  if (minimum !== undefined && most !== undefined) return ` from ${minimum} to ${most.toLocaleString('en')}`;
  return minimum === undefined ? '' : ` from ${minimum}`;
}

/** A value as written in a line of YAML. */
function flow(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).map(([key, one]) => `${key}: ${flow(one)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/**
 * Generates docs/cli.md.
 *
 * @param program the result of `buildProgram`
 * @param exitCodes by kind of error
 */
export function cliPage(template: string, program: Command, exitCodes: Readonly<Record<ErrorKind, number>>): string {
  const commands = leavesOf(program);
  return fill(template, {
    contents: table(
      ['command', 'what it does'],
      commands.map(({ name, command }) => [`[\`${name}\`](#${slug(name)})`, command.description()]),
    ),
    'exit codes': exitCodeTable(exitCodes),
    'options: all': optionTable(program),
    commands: commands.map(commandSection).join('\n\n'),
  });
}

function exitCodeTable(exitCodes: Readonly<Record<ErrorKind, number>>): string {
  return table(['exit code', 'kind', 'meaning'], exitCodeRows(exitCodes));
}

/** Exit code, kind and meaning. */
export function exitCodeRows(exitCodes: Readonly<Record<ErrorKind, number>>): string[][] {
  const strangers = Object.keys(exitCodes).filter((kind) => !(kind in KINDS));
  if (strangers.length > 0) throw new Error(`no words for ${strangers.join(', ')}: add them to scripts/doc-pages.ts`);
  return [
    ['0', '', 'published, or already published by this very run; for other commands: done'],
    ['1', 'bug', 'a bug in score-batch; the stack is shown'],
    ...Object.entries(exitCodes)
      .sort(([, a], [, b]) => a - b)
      .map(([kind, number]) => [String(number), kind, KINDS[kind as ErrorKind]]),
    ['128 + n', 'interrupted', 'ended by signal n; the same command resumes the run'],
  ];
}

/** Every command that can be run, with its full name. */
export function leavesOf(command: Command, prefix = ''): NamedCommand[] {
  return command.commands.flatMap((child) => {
    const name = `${prefix}${child.name()}`;
    return child.commands.length > 0 ? leavesOf(child, `${name} `) : [{ name, command: child }];
  });
}

function commandSection({ name, command }: NamedCommand): string {
  // `run` only takes an argument to refuse unknown commands.
  const args =
    name === 'run'
      ? []
      : command.registeredArguments.map((argument) => (argument.required ? ` <${argument.name()}>` : ` [${argument.name()}]`));
  const usage = `score-batch ${name}${args.join('')} [options]`;
  const options = command.options.length === 0 ? [] : [optionTable(command)];
  return [`## ${name}`, sentence(command.description()), `\`\`\`text\n${usage}\n\`\`\``, ...options].join('\n\n');
}

function optionTable(command: Command): string {
  return table(
    ['option', 'meaning'],
    command.options.map(({ flags, description, mandatory }) => [
      code(flags),
      `${description}${mandatory ? ' (required)' : ''}`,
    ]),
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

/** The anchor that GitHub gives a heading. */
export function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

/** Replaces template comments by their parts. Every comment must have a part, and every part a comment. */
function fill(template: string, parts: Parts): string {
  const used = new Set<string>();
  const text = template.replaceAll(/<!-- (.+?) -->/g, (_, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`the template asks for ${name}, which the page does not have`);
    used.add(name);
    return part;
  });
  const unused = Object.keys(parts).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`the template leaves out ${unused.join(', ')}`);
  return text;
}
