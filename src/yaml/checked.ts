import { type Document, isMap, isScalar, LineCounter, parseDocument, visit, type YAMLError } from 'yaml';
import { z } from 'zod';
import { ScoreBatchError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { offsetOf, resolveEnvironment } from './environment.ts';

type Path = readonly (string | number)[];

/** YAML's words for zod's types. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  int: 'a whole number',
  string: 'text',
};

/** Text that is not YAML can cause a problem per character. */
const MAX_PROBLEMS = 20;

/** Limits how far aliases expand; see `maxAliasCount` of the package yaml. */
const MAX_ALIASES = 100;

/** A problem in a file's content: its place and one sentence. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
  /** Set if the problem is about a key of the map at `path` instead of its value. */
  readonly key?: string;
}

interface Options<T> {
  /** File name shown in messages. */
  readonly file: string;
  /** What the file is, for the message: `job file`. */
  readonly noun: string;
  readonly hint: string;
  /** If given, `${NAME}` in values is replaced from it. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Checks across keys; run once every key is valid on its own. */
  readonly crossChecks: (value: T) => readonly Problem[];
  /**
   * The content without what the schema refuses. If the schema accepts that, `crossChecks` run on it, so that their problems are
   * shown at once with the others.
   */
  readonly rest?: (content: unknown, refused: readonly Problem[]) => unknown;
}

/**
 * Parses YAML text and checks it with a zod schema.
 *
 * @throws ScoreBatchError `configuration` with all problems at once, each with line and column
 */
export function parseChecked<S extends z.ZodType>(text: string, schema: S, options: Options<z.output<S>>): z.output<S> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined): string => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${options.file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    const details = document.errors.map((error) => `${at(error.pos[0])}: ${yamlMessage(error)}`);
    throw refusal(options, details.slice(0, MAX_PROBLEMS));
  }
  const traps = prototypeKeys(document).map((key) => `${at(offsetOf(key))}: __proto__ is not a valid name: choose another one`);
  if (traps.length > 0) throw refusal(options, traps.slice(0, MAX_PROBLEMS));
  const unset = options.environment === undefined ? [] : resolveEnvironment(document, options.environment);
  const content = plainValue(document, options);
  const parsed = schema.safeParse(content, { reportInput: true });
  const found = parsed.success
    ? options.crossChecks(parsed.data)
    : withRest(
        content,
        parsed.error.issues.flatMap((issue) => toProblems(issue, schema)),
        schema,
        options,
      );
  const placed = found.map((problem) => ({ offset: positionOf(document, problem), message: describe(problem) }));
  // An unset variable leaves its `${NAME}` in place, which may also break the schema. One message is enough.
  const own = placed.filter(({ offset }) => !unset.some((variable) => variable.offset === offset));
  const details = [...unset, ...own]
    .sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0))
    .map(({ offset, message }) => `${at(offset)}: ${message}`);
  if (details.length > 0 || !parsed.success) throw refusal(options, details);
  return parsed.data;
}

function withRest<S extends z.ZodType>(
  content: unknown,
  problems: readonly Problem[],
  schema: S,
  { rest, crossChecks }: Options<z.output<S>>,
): readonly Problem[] {
  const parsed = rest && schema.safeParse(rest(content, problems));
  return parsed?.success === true ? [...problems, ...crossChecks(parsed.data)] : problems;
}

/** Keys named `__proto__`. Schemas would silently drop them, since they are special in a JavaScript object. */
function prototypeKeys(document: Document): unknown[] {
  const found: unknown[] = [];
  visit(document, {
    Pair(_, { key }) {
      if (isScalar(key) && key.value === '__proto__') found.push(key);
    },
  });
  return found;
}

/** Resolves aliases, with a limit: a few lines of YAML can expand to more than fits in memory, or contain themselves. */
function plainValue(document: Document, options: Pick<Options<never>, 'noun' | 'file' | 'hint'>): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    JSON.stringify(value);
    return value;
  } catch {
    throw refusal(options, [`${options.file}: its aliases (*name) expand to too much text, or contain themselves`]);
  }
}

function yamlMessage({ code, message }: YAMLError): string {
  return code === 'MULTIPLE_DOCS' ? 'the file contains more than one document' : message.replaceAll(/\s+/g, ' ');
}

function refusal(
  { noun, file, hint }: { noun: string; file: string; hint: string },
  details: readonly string[],
): ScoreBatchError {
  const count = details.length === 1 ? 'a problem' : `${details.length} problems`;
  return new ScoreBatchError('configuration', `the ${noun} ${file} has ${count}`, { details, hint });
}

function describe({ path, message }: Problem): string {
  return path.length === 0 ? message : `${path.join('.')}: ${message}`;
}

function toProblems(issue: z.core.$ZodIssue, schema: z.ZodType): Problem[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path, key, message: `unknown key ${key}; ${didYouMean(key, keysAt(schema, path))}` }));
    case 'invalid_type': {
      const expected = `expected ${TYPE_NAMES[issue.expected] ?? issue.expected}`;
      if (issue.input === undefined) return [{ path, message: `missing: ${expected}` }];
      // A schema's own message is better than zod's.
      return [{ path, message: issue.message.startsWith('Invalid input') ? expected : issue.message }];
    }
    case 'invalid_value':
      return [
        { path, message: issue.message.startsWith('Invalid ') ? `expected one of ${issue.values.join(', ')}` : issue.message },
      ];
    case 'invalid_key':
      return issue.issues.map(({ message }) => ({
        path: path.slice(0, -1),
        key: String(path.at(-1)),
        message: `${String(path.at(-1))} is not a valid name: ${message}`,
      }));
    case 'invalid_union':
      return issue.message.startsWith('Invalid ') ? branchProblems(issue, path, schema) : [{ path, message: issue.message }];
    case 'too_small':
    case 'too_big':
      return [{ path, message: boundMessage(issue) }];
    default:
      return [{ path, message: issue.message }];
  }
}

/** The problems of the union's branch that fits the value's form, or of the first branch if none fits. */
function branchProblems({ errors }: z.core.$ZodIssueInvalidUnion, path: Path, schema: z.ZodType): Problem[] {
  const isOfForm = (issues: readonly z.core.$ZodIssue[]) =>
    !issues.some(({ path: inner, code }) => inner.length === 0 && (code === 'invalid_type' || code === 'invalid_value'));
  const branch = errors.find(isOfForm) ?? errors[0] ?? [];
  return branch.flatMap((issue) => toProblems({ ...issue, path: [...path, ...issue.path] }, schema));
}

/** Replaces zod's "Too small: expected number to be >0". A schema's own message is kept. */
function boundMessage(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  if (!issue.message.startsWith('Too ')) return issue.message;
  if (issue.code === 'too_small')
    return issue.origin === 'string'
      ? 'must not be empty'
      : `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
  return `must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
}

/** The keys that a schema allows at a path, for suggestions. */
function keysAt(schema: z.ZodType, path: Path): string[] {
  let node: z.core.JSONSchema._JSONSchema | undefined = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' });
  for (const part of path) {
    if (typeof node !== 'object') return [];
    const items: unknown = node.items;
    node = asMap(
      typeof part === 'number'
        ? (items as z.core.JSONSchema._JSONSchema)
        : (node.properties?.[part] ?? node.additionalProperties),
    );
  }
  return typeof node === 'object' ? Object.keys(node.properties ?? {}) : [];
}

/** The map branch of a union that has one. */
function asMap(node: z.core.JSONSchema._JSONSchema | undefined): z.core.JSONSchema._JSONSchema | undefined {
  const forms = typeof node === 'object' ? node.anyOf : undefined;
  return forms?.find((form) => typeof form === 'object' && form.properties !== undefined) ?? node;
}

/** Offset of the key or value that a problem is about, or of the nearest parent if it is missing. */
function positionOf(document: Document, { path, key }: Problem): number | undefined {
  if (key !== undefined) {
    const parent = path.length === 0 ? document.contents : document.getIn(path, true);
    if (isMap(parent)) return offsetOf(parent.items.find((pair) => String(pair.key) === key)?.key);
  }
  for (let depth = path.length; depth > 0; depth -= 1) {
    const offset = offsetOf(document.getIn(path.slice(0, depth), true));
    if (offset !== undefined) return offset;
  }
  return offsetOf(document.contents);
}
