/** A number and a unit of time; zero needs none. */
export const SHORT_DURATION = /^(?:0|(\d{1,6}(?:\.\d+)?) ?(ms|s|m))$/;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** Node's timers fire at once beyond some 24 days, and nobody waits even a day. */
const MOST = 24 * 3_600_000;

/** `200ms` → 200, `5s` → 5000. @returns undefined if the string is not a duration of at most a day */
export function parseMilliseconds(text: string): number | undefined {
  const found = SHORT_DURATION.exec(text);
  if (found === null) return undefined;
  const [, number = '0', unit = 's'] = found;
  const ms = Number(number) * (UNITS[unit] ?? 0);
  return ms <= MOST ? ms : undefined;
}
