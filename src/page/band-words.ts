import type { Bands } from '../domain/bands.ts';
import { decimal } from './numbers.ts';
import type { Nouns } from './words.ts';

const MILLION = 1_000_000;

/** Names of the bands, highest risk first. */
export function bandNames({ bounds, rest }: Bands): string[] {
  return [...bounds.map(({ name }) => name), rest];
}

/** What being in the first band means: `the 10% with the highest scores, whatever these are`. */
export function firstBandMeaning({ by, bounds }: Bands, nouns: Nouns): string {
  const bound = bounds[0]?.bound ?? 0;
  const many = nouns.many;
  return by === 'share'
    ? `always the ${asPercent(bound)} of the ${many} with the highest scores, however high or low these are`
    : `every one of the ${many} with a score of ${asPercent(bound)} or more, however many these are`;
}

/** A band's rule in short: `top 10%`, `from 90%`, `the rest`. */
export function bandRule({ by, bounds }: Bands, name: string): string {
  const at = bounds.findIndex((band) => band.name === name);
  if (at < 0) return 'the rest';
  return by === 'share'
    ? `${at === 0 ? 'top' : 'to'} ${asPercent(bounds[at]?.bound ?? 0)}`
    : `from ${asPercent(bounds[at]?.bound ?? 0)}`;
}

/** Millionths as a percentage, with as many digits as needed. */
function asPercent(millionths: number): string {
  const text = decimal((millionths / MILLION) * 100, 4);
  return `${text.replace(/\.?0*$/, '')}%`;
}
