import { type Bands, REST_BAND } from '../domain/bands.ts';

const MILLION = 1_000_000;
const SHARE = /^top (\d{1,3}(?:\.\d{1,4})?) ?%$/;

/**
 * Parses `{ high: top 10%, medium: top 30% }` or `{ high: 0.9, medium: 0.8 }`, highest risk first.
 *
 * @returns the bands, or one sentence that says what is wrong with them
 */
export function parseBands(spec: Readonly<Record<string, string | number>>): Bands | string {
  const entries = Object.entries(spec);
  const shares = entries.filter(([, value]) => typeof value === 'string').length;
  if (shares !== 0 && shares !== entries.length) return 'bands must be either all shares (top 10%) or all thresholds (0.9)';
  if (entries.some(([name]) => name === REST_BAND))
    return `the band ${REST_BAND} is added for users below the other bands: leave it out`;
  // JavaScript moves integer keys to the front, so their order in the file is lost.
  const bare = entries.find(([name]) => /^\d+$/.test(name));
  if (bare) return `the band ${bare[0]} needs a name that is not a number`;
  const by = shares > 0 ? 'share' : 'threshold';
  const bounds: { name: string; bound: number }[] = [];
  for (const [name, value] of entries) {
    const bound = typeof value === 'string' ? shareOf(value) : Math.round(value * MILLION);
    if (bound === undefined || bound < 0 || bound > MILLION) {
      return `the band ${name} is neither a share like "top 10%" nor a threshold between 0 and 1`;
    }
    const above = bounds.at(-1);
    if (above !== undefined && (by === 'share' ? bound <= above.bound : bound >= above.bound)) {
      return `the band ${name} must reach further down than ${above.name}: list bands from the highest risk down`;
    }
    bounds.push({ name, bound });
  }
  return { by, bounds, rest: REST_BAND };
}

function shareOf(text: string): number | undefined {
  const percent = SHARE.exec(text)?.[1];
  return percent === undefined ? undefined : Math.round(Number(percent) * 10_000);
}
