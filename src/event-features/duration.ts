const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;

/** `300ms`, `5s`, `5m`, `1h`, `7d` → milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  return match === null ? undefined : Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}

/** Formats milliseconds in the largest unit that divides them: 300,000 → `5m`. */
export function showDuration(ms: number): string {
  const [unit] = Object.entries(UNITS)
    .reverse()
    .find(([, size]) => ms > 0 && ms % size === 0) ?? ['ms'];
  return `${ms / UNITS[unit as keyof typeof UNITS]}${unit}`;
}

/** Formats milliseconds in all units that they need: 1,036,870,000 → `12d 1m 10s`. */
export function showSpan(ms: number): string {
  let rest = ms;
  const parts = Object.entries(UNITS)
    .reverse()
    .flatMap(([unit, size]) => {
      const count = Math.floor(rest / size);
      rest -= count * size;
      return count === 0 ? [] : [`${count}${unit}`];
    });
  return parts.length === 0 ? '0ms' : parts.join(' ');
}
