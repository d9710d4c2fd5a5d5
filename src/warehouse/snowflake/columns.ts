import type { Column, ColumnType } from '../../domain/schema.ts';
import type { ResultColumn } from './session.ts';

/** The driver's type names → what they hold. A type that is not here is `other`. */
const TYPES: Readonly<Record<string, readonly [type: ColumnType, native: string]>> = {
  real: ['float', 'FLOAT'],
  boolean: ['bool', 'BOOLEAN'],
  text: ['string', 'VARCHAR'],
  date: ['date', 'DATE'],
  timestamp_ntz: ['datetime', 'TIMESTAMP_NTZ'],
  timestamp_ltz: ['timestamp', 'TIMESTAMP_LTZ'],
  timestamp_tz: ['timestamp', 'TIMESTAMP_TZ'],
};

/** Digits of a NUMBER that fit 64 bits, whatever they are. */
const INTEGER_DIGITS = 18;

/** A column of a result, under its real name, as a column. */
export function toColumn({ name, type, precision, scale }: ResultColumn): Column {
  if (type === 'fixed') {
    const native = `NUMBER(${precision},${scale})`;
    if (scale === 0 && precision <= INTEGER_DIGITS) return { name, native, type: 'integer' };
    return { name, native, type: 'decimal', digits: [precision, scale] };
  }
  const [known, native] = TYPES[type] ?? ['other', type.toUpperCase()];
  return { name, native, type: known };
}
