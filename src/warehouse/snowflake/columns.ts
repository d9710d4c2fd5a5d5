import type { Column, ColumnType } from '../../domain/schema.ts';
import type { ResultColumn } from './session.ts';

/** The driver's type names → our types. Any other type is `other`. */
const TYPES: Readonly<Record<string, readonly [type: ColumnType, native: string]>> = {
  real: ['float', 'FLOAT'],
  boolean: ['bool', 'BOOLEAN'],
  text: ['string', 'VARCHAR'],
  date: ['date', 'DATE'],
  timestamp_ntz: ['datetime', 'TIMESTAMP_NTZ'],
  timestamp_ltz: ['timestamp', 'TIMESTAMP_LTZ'],
  timestamp_tz: ['timestamp', 'TIMESTAMP_TZ'],
};

/** A NUMBER with up to this many digits always fits into 64 bits. */
const INTEGER_DIGITS = 18;

/** Converts a result column; keeps its exact name. */
export function toColumn({ name, type, precision, scale }: ResultColumn): Column {
  if (type === 'fixed') {
    const native = `NUMBER(${precision},${scale})`;
    if (scale === 0 && precision <= INTEGER_DIGITS) return { name, native, type: 'integer' };
    return { name, native, type: 'decimal', digits: [precision, scale] };
  }
  const [known, native] = TYPES[type] ?? ['other', type.toUpperCase()];
  return { name, native, type: known };
}
