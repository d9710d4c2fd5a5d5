// The generated pages of docs/: prose from scripts/docs/, filled with what the code knows. Pure, so that a test can compare without a build.
import { parse } from 'yaml';

/** What each exit code means, by the kind of error; the numbers are those of `EXIT_CODES`. */
const KINDS = {
  usage: 'the command line or the window is wrong',
  refused: 'not published: the rows do not reconcile, a gate is closed, the window is empty, or `max_bytes` is exceeded',
  unavailable: 'the source is not ready, or network, quota, disk or time ran out; a retry may help',
  report: 'published, but the report file (or the output of `--json`) could not be written',
  conflict: 'another process got there first, a chunk is missing, or the DuckDB file is in use; a retry may help',
  permission: 'no credentials, bad credentials, or a missing right',
  configuration: 'the job file, the model, the query or the machine is not set up right',
  'nothing to score': 'the window has no rows, with `--skip-empty` only; Airflow skips on this code',
};

/** Where two keys exclude each other, one cannot be in the example file. */
const EXAMPLES = { 'source.query': 'select … where day >= :window_start_date', 'provider.device_id': '1' };

/** A job file with no more than it must have: what else it has once it is parsed are defaults. */
export const LEAST_JOB = {
  name: 'job',
  model: 'model',
  time_zone: 'UTC',
  source: { warehouse: 'duckdb:w.duckdb', query: 'select 1', key: ['id'] },
  sink: { table: 'marketing.scores' },
};

/**
 * docs/job-file.md
 *
 * @param template prose with a comment for each table
 * @param schema JSON Schema of the job file
 * @param example YAML of a job file that has every key
 * @param defaults what `LEAST_JOB` is once it is parsed
 */
export function jobFilePage(template, schema, example, defaults) {
  const job = parse(example);
  const { properties, required } = schema;
  const sections = Object.keys(properties).filter((name) => name === 'features' || properties[name].properties !== undefined);
  const top = Object.fromEntries(Object.entries(properties).filter(([name]) => !sections.includes(name)));
  const provider = properties.score.properties.providers.items.anyOf.find(({ type }) => type === 'object');
  const tables = sections.map((name) => {
    const section = properties[name];
    return name === 'features'
      ? ['keys: features', keyTable({ features: section }, [], job, {}, '')]
      : [
          `keys: ${name}`,
          keyTable(
            section.properties,
            section.required ?? [],
            job[name],
            unwritten(defaults[name], LEAST_JOB[name]),
            `${name}.`,
          ),
        ];
  });
  return fill(template, {
    'keys: top': keyTable(top, required, job, unwritten(defaults, LEAST_JOB), ''),
    ...Object.fromEntries(tables),
    'keys: provider': keyTable(provider.properties, provider.required, { name: 'cuda', devices: [0, 1] }, {}, 'provider.'),
    example: `\`\`\`yaml job\n${example.trim()}\n\`\`\``,
  });
}

function keyTable(properties, required, values, defaults, prefix) {
  const rows = Object.entries(properties).map(([key, property]) => {
    const example = EXAMPLES[`${prefix}${key}`] ?? flow(values[key]);
    if (example === undefined) throw new Error(`${prefix}${key} has no example: add it to scripts/docs/job-file.yaml`);
    if (property.description === undefined) throw new Error(`${prefix}${key} has no description: add it to src/job/schema.ts`);
    const fallback = required.includes(key) ? 'required' : defaultOf(property, defaults[key]);
    return [code(key), typeOf(property), fallback, property.description, code(example)];
  });
  return table(['key', 'type', 'default', 'description', 'example'], rows);
}

function unwritten(parsed, written = {}) {
  return Object.fromEntries(Object.entries(parsed).filter(([key]) => !(key in written)));
}

/** @param parsed what the key becomes where it is left out; the schema says what to write for the same */
function defaultOf({ default: written }, parsed) {
  const value = written ?? parsed;
  return value === undefined ? '–' : code(flow(value));
}

/** A property of the schema in words. */
function typeOf(property) {
  const { type, anyOf, items, properties, additionalProperties } = property;
  if (property.const !== undefined) return code(String(property.const));
  if (property.enum) return property.enum.map(code).join(', ');
  if (anyOf?.some(({ pattern }) => pattern?.endsWith('%$'))) return 'share';
  if (anyOf?.some(({ pattern }) => pattern?.endsWith('B$'))) return 'size';
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(' or ');
  if (Array.isArray(type)) return type.join(' or ');
  if (type === 'array') return `list of ${items.anyOf ? 'providers' : plural(typeOf(items))}`;
  if (type === 'object') return properties ? 'map' : `map of ${plural(typeOf(additionalProperties))}`;
  if (type === 'string') return 'text';
  if (type === 'boolean') return '`true`, `false`';
  return `${type === 'integer' ? 'integer' : 'number'}${range(property)}`;
}

function plural(type) {
  if (type === 'text') return 'texts';
  return type.startsWith('integer')
    ? type.replace('integer', 'integers')
    : type.replace('string', 'texts').replace('number', 'numbers');
}

/** Bounds that somebody chose; those of JavaScript's numbers are not shown. */
function range({ minimum, maximum, exclusiveMinimum }) {
  const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`;
  if (minimum !== undefined && most !== undefined) return ` from ${minimum} to ${most.toLocaleString('en')}`;
  return minimum === undefined ? '' : ` from ${minimum}`;
}

/** A value as it would stand in a line of YAML. */
function flow(value) {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).map(([key, one]) => `${key}: ${flow(one)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/**
 * docs/cli.md
 *
 * @param program what `buildProgram` builds
 * @param exitCodes by the kind of error
 */
export function cliPage(template, program, exitCodes) {
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

function exitCodeTable(exitCodes) {
  const strangers = Object.keys(exitCodes).filter((kind) => !(kind in KINDS));
  if (strangers.length > 0) throw new Error(`no words for ${strangers.join(', ')}: add them to scripts/doc-pages.mjs`);
  return table(
    ['exit code', 'kind', 'meaning'],
    [
      ['0', '', 'published, or already published by this very run; for other commands: done'],
      ['1', 'bug', 'a bug in score-batch; the stack is shown'],
      ...Object.entries(exitCodes)
        .sort(([, a], [, b]) => a - b)
        .map(([kind, code]) => [String(code), kind, KINDS[kind]]),
      ['128 + n', 'interrupted', 'ended by signal n; the same command resumes the run'],
    ],
  );
}

/** Every command that does something, with its whole name. */
function leavesOf(command, prefix = '') {
  return command.commands.flatMap((child) => {
    const name = `${prefix}${child.name()}`;
    return child.commands.length > 0 ? leavesOf(child, `${name} `) : [{ name, command: child }];
  });
}

function commandSection({ name, command }) {
  // `run` takes an argument only to refuse what is no command.
  const args = command.registeredArguments.filter(({ required }) => required).map((argument) => ` <${argument.name()}>`);
  const usage = `score-batch ${name}${args.join('')} [options]`;
  const options = command.options.length === 0 ? [] : [optionTable(command)];
  return [`## ${name}`, sentence(command.description()), `\`\`\`text\n${usage}\n\`\`\``, ...options].join('\n\n');
}

function optionTable(command) {
  return table(
    ['option', 'meaning'],
    command.options.map(({ flags, description, mandatory }) => [
      code(flags),
      `${description}${mandatory ? ' (required)' : ''}`,
    ]),
  );
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function table(header, rows) {
  const line = (row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text) {
  return `\`${text}\``;
}

/** How GitHub names the anchor of a heading. */
export function slug(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

/** Every comment has its part, and every part its comment. */
function fill(template, parts) {
  const used = new Set();
  const text = template.replaceAll(/<!-- (.+?) -->/g, (_, name) => {
    if (parts[name] === undefined) throw new Error(`the template asks for ${name}, which the page does not have`);
    used.add(name);
    return parts[name];
  });
  const unused = Object.keys(parts).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`the template leaves out ${unused.join(', ')}`);
  return text;
}
