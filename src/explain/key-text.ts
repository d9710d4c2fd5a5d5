import type { TableColumn } from '../domain/tables.ts';

/** A number without an exponent. */
const NUMBER = /^([+-]?)0*(\d*)(?:\.(\d*?)0*)?$/;

/** A time in UTC, with any number of fractional digits of the second. */
const TIME = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(:\d{2})?(?:\.(\d{1,6}))?(?:Z| ?UTC|\+00(?::?00)?)?$/i;

/**
 * A key value as somebody wrote it, converted to canonical text (see `Dialect.text`): `12.50` becomes `12.5`, and
 * `2026-11-18T09:00Z` becomes `2026-11-18 09:00:00.000000`. Other text is returned unchanged, and then matches no row.
 */
export function keyText(written: string, { type }: Pick<TableColumn, 'type'>): string {
  switch (type) {
    case 'integer':
    case 'decimal':
      return numberText(written.trim()) ?? written;
    case 'datetime':
    case 'timestamp':
      return timeText(written.trim()) ?? written;
    case 'uuid':
    case 'bool':
      return written.trim().toLowerCase();
    default:
      return written;
  }
}

function numberText(written: string): string | undefined {
  const [whole, sign, digits = '', fraction = ''] = NUMBER.exec(written) ?? [];
  if (whole === undefined || !/\d/.test(whole)) return undefined;
  const number = `${digits || '0'}${fraction && `.${fraction}`}`;
  return sign === '-' && number !== '0' ? `-${number}` : number;
}

function timeText(written: string): string | undefined {
  const [whole, day, minute, second = ':00', fraction = ''] = TIME.exec(written) ?? [];
  return whole === undefined ? undefined : `${day} ${minute}${second}.${fraction.padEnd(6, '0')}`;
}
