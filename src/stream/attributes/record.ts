import type { FieldValue } from '../../event-features/definition.ts';
import type { LogRecord } from '../log.ts';
import type { AttributeColumn } from './table.ts';

/** What a record of an attribute topic says: the row of a key, or that the key has none any more. */
export type AttributeRecord =
  | { readonly key: string; readonly values: readonly FieldValue[] | undefined }
  /** Why it is neither; without values, since it is logged. */
  | { readonly refused: string };

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function readRecord({ key, value }: LogRecord, columns: readonly AttributeColumn[]): AttributeRecord {
  if (key === null) return { refused: 'it has no key' };
  const keyText = textOf(key);
  if (keyText === undefined) return { refused: 'its key is not UTF-8' };
  if (value === null) return { key: keyText, values: undefined };
  const row = objectOf(value);
  if (row === undefined) return { refused: 'its value is not a JSON object' };
  const values: FieldValue[] = [];
  for (const { name, type } of columns) {
    const found = Object.hasOwn(row, name) ? row[name] : null;
    if (!isOf(found, type)) return { refused: `${name} is not of the type ${type}` };
    // JSON has a -0, whole numbers in SQL have none.
    values.push(type === 'int64' && found === 0 ? 0 : found);
  }
  return { key: keyText, values };
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

function objectOf(value: Buffer): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(UTF8.decode(value));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function isOf(value: unknown, type: AttributeColumn['type']): value is FieldValue {
  if (value === null) return true;
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'int64':
      return Number.isSafeInteger(value);
    case 'float64':
      // JSON has no infinity, but 1e999 becomes one.
      return typeof value === 'number' && Number.isFinite(value);
  }
}
