// biome-ignore-all lint/suspicious/noTemplateCurlyInString: YAML files refer to the environment in this form
import { expect, it } from 'vitest';
import { z } from 'zod';
import { presentError } from '../../src/terminal/error.ts';
import { type Problem, parseChecked } from '../../src/yaml/checked.ts';

const schema = z.strictObject({
  name: z.string(),
  size: z.number().optional(),
  lists: z.array(z.strictObject({ item: z.string() })).default([]),
});

interface Given {
  readonly environment?: NodeJS.ProcessEnv;
  readonly crossChecks?: (value: z.output<typeof schema>) => Problem[];
}

function parse(text: string, { environment, crossChecks = () => [] }: Given = {}) {
  const options = { file: 'thing.yaml', noun: 'thing', hint: 'read the README', crossChecks };
  return parseChecked(text, schema, environment ? { ...options, environment } : options);
}

function refused(text: string, given?: Given): string {
  try {
    parse(text, given);
  } catch (error) {
    return presentError(error).text;
  }
  return 'not refused';
}

it("returns the schema's output, with anchors resolved", () => {
  expect(parse('name: &n a\nlists: [{ item: *n }]')).toEqual({ name: 'a', lists: [{ item: 'a' }] });
});

it('replaces variables only with an environment', () => {
  expect(parse('name: "${HOME}"').name).toBe('${HOME}');
  expect(parse('name: "${PLACE}"', { environment: { PLACE: 'here' } }).name).toBe('here');
});

it('never replaces variables in keys', () => {
  expect(refused('"${KEY}": a', { environment: { KEY: 'name' } })).toContain('unknown key ${KEY}');
});

it('points at the value, at an unknown key, and at the nearest parent of a missing key', () => {
  expect(refused('name: a\nlists:\n  - item: 1\n  - {}\n  - item: b\n    itme: c\nsizes: 3\n')).toMatchInlineSnapshot(`
    "error: the thing thing.yaml has 4 problems
      thing.yaml:3:11: lists.0.item: expected text
      thing.yaml:4:5: lists.1.item: missing: expected text
      thing.yaml:6:5: lists.2: unknown key itme; did you mean item?
      thing.yaml:7:1: unknown key sizes; did you mean size?
    hint: read the README"
  `);
});

it('checks across keys only once every key is valid, and points at the key that the check names', () => {
  const crossChecks = ({ lists }: z.output<typeof schema>): Problem[] =>
    lists.map((_, index) => ({ path: ['lists', index, 'item'], message: 'not this one' }));
  expect(refused('name: 1\nlists: [{ item: a }]', { crossChecks })).not.toContain('not this one');
  expect(refused('name: a\nlists:\n  - item: a\n  - { item: b }', { crossChecks })).toMatchInlineSnapshot(`
    "error: the thing thing.yaml has 2 problems
      thing.yaml:3:11: lists.0.item: not this one
      thing.yaml:4:13: lists.1.item: not this one
    hint: read the README"
  `);
});

it('refuses an unset variable even if the schema would accept its text', () => {
  expect(refused('name: ${NAME}\nsize: 1', { environment: {} })).toMatchInlineSnapshot(`
    "error: the thing thing.yaml has a problem
      thing.yaml:1:7: the environment variable NAME is not set and has no default
    hint: read the README"
  `);
});

it.each([
  ['aliases of aliases of aliases', bomb()],
  ['a list that holds itself', 'name: a\nlists: &a [*a]'],
])('refuses %s before it takes all memory', (_, text) => {
  expect(refused(text)).toContain('thing.yaml: its aliases (*name) expand to too much text, or contain themselves');
});

it('refuses nested brackets, in a few lines', () => {
  for (const text of ['['.repeat(100_000), `name: ${'['.repeat(5_000)}${']'.repeat(5_000)}`]) {
    const lines = refused(text).split('\n');
    expect(lines[0]).toMatch(/^error: the thing thing.yaml has /);
    expect(lines.length).toBeLessThan(25);
  }
});

/** Nine lines that expand to 9^9 texts. */
function bomb(): string {
  const names = [...'abcdefghi'];
  return names
    .map(
      (name, i) =>
        `${name}: &${name} [${Array(9)
          .fill(i === 0 ? 'x' : `*${names[i - 1]}`)
          .join(', ')}]`,
    )
    .join('\n');
}

it('refuses a key that a map would silently drop, at any depth', () => {
  expect(refused('name: a\n__proto__: b\nlists: [{ "__proto__": 1 }]')).toMatchInlineSnapshot(`
    "error: the thing thing.yaml has 2 problems
      thing.yaml:2:1: __proto__ is not a valid name: choose another one
      thing.yaml:3:11: __proto__ is not a valid name: choose another one
    hint: read the README"
  `);
});

it('does not take an inherited property for a variable', () => {
  expect(refused('name: ${constructor}', { environment: {} })).toContain('the environment variable constructor is not set');
});
