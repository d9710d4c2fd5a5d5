import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ScoreBatchError, unreadable } from '../../errors.ts';
import type { FieldType, FieldValue } from '../../event-features/definition.ts';
import type { AttributeRow, Attributes } from '../attributes.ts';
import type { StreamSettings } from '../settings.ts';

/**
 * Reads attributes from a file instead of a topic: per line a JSON object with the key, named as in the feature file, and the
 * columns. The last line of a key counts, and its version is `0:LINE`, as if the file were partition 0.
 *
 * @throws ScoreBatchError `configuration` if a line is not such an object
 */
export async function readAttributesFile(
  { features, attributes, limits }: Pick<StreamSettings, 'features' | 'attributes' | 'limits'>,
  name: string,
  folder: string,
): Promise<Attributes> {
  if (attributes === undefined || !('topic' in attributes)) {
    throw new ScoreBatchError('usage', '--attributes needs attributes.topic in the stream job file', {
      hint: 'declare the columns and their types under attributes.columns; attributes in a warehouse are read from the warehouse',
    });
  }
  const { columns } = attributes;
  const rows = new Map<string, AttributeRow>();
  let number = 0;
  let bytes = 0;
  const wrong = (what: string): ScoreBatchError =>
    new ScoreBatchError('configuration', `${name}:${number}: ${what}`, {
      hint: `write a JSON object per line, with ${[features.key, ...columns.map((column) => column.name)].join(', ')}`,
    });
  try {
    for await (const line of createInterface({ input: createReadStream(path.resolve(folder, name)) })) {
      number += 1;
      if (line === '') continue;
      const given = objectOf(line);
      const key = given?.[features.key];
      if (given === undefined || typeof key !== 'string') throw wrong(`the line must be an object with ${features.key}`);
      const values = columns.map(({ name: column, type }) => {
        const value = typed(Object.hasOwn(given, column) ? given[column] : null, type);
        if (value === undefined) throw wrong(`${column} is not ${type}`);
        return value;
      });
      bytes += line.length;
      rows.set(key, { version: `0:${number - 1}`, values });
      if (rows.size > limits.attributeRows)
        throw wrong(`the file has more than ${limits.attributeRows} keys (limits.attribute_rows)`);
    }
  } catch (cause) {
    throw cause instanceof ScoreBatchError ? cause : unreadable(name, cause, 'check the path after --attributes');
  }
  return {
    columns,
    find: (key) => rows.get(key),
    rows: rows.size,
    bytes,
    loadedAt: Date.now(),
    close: async () => undefined,
  };
}

function objectOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function typed(value: unknown, type: FieldType): FieldValue | undefined {
  if (value === null || value === undefined) return null;
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'int64':
      return Number.isSafeInteger(value) ? (value as number) : undefined;
    case 'float64':
      return Number.isFinite(value) ? (value as number) : undefined;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
  }
}
