import { readdirSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { lostIn, schemaText } from '../../scripts/json-schemas.ts';
import { buildProgram, jsonNameOf } from '../../src/commands/program.ts';
import { jsonSchemaOf } from '../../src/json/schemas.ts';
import { JSON_VERSIONS, type JsonName } from '../../src/json/versions.ts';
import { repository } from '../support/project.ts';

const NAMES = Object.keys(JSON_VERSIONS) as JsonName[];

/** Commands without `--json`: other programs read what they print as it is, or they write nothing to stdout. */
const TEXT_ONLY = ['completion', 'serve', 'stream-run'];

it('every command has a schema for what it prints with --json, and every schema a command', () => {
  const none = () => undefined;
  const leaves = (command: Command): Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
  const commands = leaves(buildProgram(none as never, none, none)).map(jsonNameOf);
  expect(commands.filter((name) => !TEXT_ONLY.includes(name)).sort()).toEqual(NAMES.filter((name) => name !== 'error').sort());
});

it('the schemas of the package are those of the code; `npm run docs` writes them', () => {
  // The folder beside them has schemas of other things.
  const files = readdirSync(repository('schemas'))
    .filter((file) => file.endsWith('.json'))
    .sort();
  expect(files).toEqual(NAMES.map((name) => `${name}.schema.json`).sort());
  for (const name of NAMES)
    expect(readFileSync(repository('schemas', `${name}.schema.json`), 'utf8')).toBe(schemaText(jsonSchemaOf(name)));
});

it('a schema allows no property that it does not describe, and names itself and its version', () => {
  for (const name of NAMES) {
    const schema = JSON.parse(JSON.stringify(jsonSchemaOf(name)));
    expect(schema.$id).toBe(`urn:score-batch:${name}:${JSON_VERSIONS[name]}`);
    for (const form of schema.anyOf ?? [schema]) {
      expect(Object.keys(form.properties)[0]).toBe('schema');
      expect(form.properties.schema.const).toBe(`score-batch/${name}/${JSON_VERSIONS[name]}`);
      expect(form.required).toContain('schema');
    }
    expect(open(schema, name)).toEqual([]);
  }
});

/** Objects inside a schema that take any property. A map takes any name, but values of one form. */
function open(schema: unknown, at: string): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { type, additionalProperties } = schema as { type?: unknown; additionalProperties?: unknown };
  const own = type === 'object' && additionalProperties === undefined ? [at] : [];
  return [...own, ...Object.entries(schema).flatMap(([key, inner]) => open(inner, `${at}/${key}`))];
}

const BEFORE = {
  $id: 'urn:score-batch:x:1',
  properties: { a: { type: 'string', description: 'old' }, description: { type: 'string' }, b: { enum: ['x', 'y'] } },
  required: ['a'],
};

it.each([
  ['a description', { properties: { ...BEFORE.properties, a: { type: 'string', description: 'new' } } }],
  ['a new property that is always there', { properties: { ...BEFORE.properties, c: {} }, required: ['c', 'a'] }],
  ['anything, under another version', { $id: 'urn:score-batch:x:2', properties: {} }],
])('a version may gain %s', (_, change) => {
  expect(lostIn(BEFORE, { ...BEFORE, ...change })).toEqual([]);
});

it.each([
  ['a property', { properties: { a: BEFORE.properties.a, b: BEFORE.properties.b } }, '#/properties/description'],
  ['a type', { properties: { ...BEFORE.properties, a: { type: 'number' } } }, '#/properties/a/type'],
  ['a word', { properties: { ...BEFORE.properties, b: { enum: ['x', 'z'] } } }, '#/properties/b/enum'],
  ['that a property is always there', { required: [] }, '#/required'],
])('a version must not lose or change %s', (_, change, where) => {
  expect(lostIn(BEFORE, { ...BEFORE, ...change })).toEqual([where]);
});
