import type { FieldValue } from '../../event-features/definition.ts';
import { valueOfType } from '../../event-features/field-value.ts';
import type { LogRecord } from '../log.ts';
import type { AttributeColumn } from './table.ts';

/** What a record of an attribute topic says: the row of a key, or that the key no longer has one. */
export type AttributeRecord =
  | { readonly key: string; readonly values: readonly FieldValue[] | undefined }
  /** Why the record is unusable; it is logged, so it holds no values. */
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
    const typed = found === null ? null : valueOfType(found, type, true);
    if (typed === undefined) return { refused: `${name} is not of the type ${type}` };
    values.push(typed);
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
