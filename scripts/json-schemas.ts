import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { jsonSchemaOf } from '../src/json/schemas.ts';
import { JSON_VERSIONS, type JsonName } from '../src/json/versions.ts';

/**
 * Writes schemas/NAME.schema.json for every object that `--json` prints.
 *
 * @throws Error if a schema lost or changed something without a new version
 */
export function writeJsonSchemas(folder: string): void {
  for (const name of Object.keys(JSON_VERSIONS) as JsonName[]) {
    const file = path.join(folder, `${name}.schema.json`);
    const schema = jsonSchemaOf(name);
    const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
    const lost = before === undefined ? [] : lostIn(before, schema);
    if (lost.length > 0)
      throw new Error(
        `${file} has changed and its version has not: ${lost.join(', ')}\n` +
          `raise ${name} in src/json/versions.ts; if no release has had this version yet, remove the file instead`,
      );
    writeFileSync(file, schemaText(schema));
  }
}

/** The content of a schema file. */
export function schemaText(schema: object): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/**
 * What the newer form lacks of the older one, so that its readers would break: everything except descriptions; properties may
 * be added. Empty if the version was raised.
 *
 * @returns paths inside the schema
 */
export function lostIn(before: object, after: object): string[] {
  return idOf(before) === idOf(after) ? differences(before, after, '#') : [];
}

function differences(before: unknown, after: unknown, at: string): string[] {
  // Branches of `anyOf`; the words of `enum` are not objects.
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length && before.every(isRecord))
    return before.flatMap((one, i) => differences(one, after[i], `${at}/${i}`));
  if (!isRecord(before) || !isRecord(after)) return JSON.stringify(before) === JSON.stringify(after) ? [] : [at];
  const isProperties = at.endsWith('/properties');
  return Object.keys({ ...before, ...after }).flatMap((key) => {
    const below = `${at}/${key}`;
    if (!isProperties && (key === 'description' || key === 'title')) return [];
    if (isProperties && !(key in before)) return [];
    // An additional required property is allowed.
    if (!isProperties && key === 'required')
      return listOf(before[key]).every((name) => listOf(after[key]).includes(name)) ? [] : [below];
    return differences(before[key], after[key], below);
  });
}

function idOf(schema: object): unknown {
  return '$id' in schema ? schema.$id : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
