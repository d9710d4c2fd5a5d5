// Warehouses have microseconds, a Date only milliseconds. Positions are compared and counted in whole microseconds.

/** Microseconds since 1970-01-01T00:00:00Z. */
export type Microseconds = bigint;

const TEXT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?$/;

/**
 * `2026-11-18T09:00:00.000001Z` → microseconds; a string without offset is read as UTC, further digits are cut off.
 *
 * @returns undefined if the string is not such an instant
 */
export function parseMicroseconds(iso: string): Microseconds | undefined {
  const [, date, time, fraction = '', offset = 'Z'] = TEXT.exec(iso) ?? [];
  const seconds = Date.parse(`${date}T${time}${offset}`);
  if (Number.isNaN(seconds)) return undefined;
  return BigInt(seconds) * 1000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}

/** ISO string in UTC with six fractional digits, the form in which positions are recorded. */
export function formatMicroseconds(instant: Microseconds): string {
  const { milliseconds, rest } = inMilliseconds(instant);
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}

/** The millisecond that contains an instant, and the microseconds after its start. */
export function inMilliseconds(instant: Microseconds): { readonly milliseconds: number; readonly rest: number } {
  const rest = ((instant % 1000n) + 1000n) % 1000n;
  return { milliseconds: Number((instant - rest) / 1000n), rest: Number(rest) };
}
