import { WINDOW_NOUNS } from './dates.ts';
import { count } from './numbers.ts';
import type { PageData, TrendPoint } from './page-data.ts';

export type Nouns = PageData['job']['nouns'];

/** `1 new customer`, `2,053 new customers` */
export function people(users: number, nouns: Nouns): string {
  return `${count(users)} ${users === 1 ? nouns.one : nouns.many}`;
}

export function capitalized(text: string): string {
  const [first = '', ...rest] = text;
  return first.toUpperCase() + rest.join('');
}

export function uncapitalized(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

/** `a, b and c` */
export function listed(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`;
}

/** The earlier window in words, with the windows in between that have no scores. */
export function earlierWindow({ before, trend, window }: Pick<PageData, 'before' | 'trend' | 'window'>): string {
  const noun = WINDOW_NOUNS[window.kind];
  const skipped = windowsSkipped(before?.label, trend);
  if (skipped.length === 0) return `the ${noun} before (${before?.label})`;
  const gap = skipped.length === 1 ? `${skipped[0]} has` : `the ${skipped.length} ${noun}s in between have`;
  return `${before?.label} (${gap} no scores)`;
}

/** Labels of the gaps right before the newest window. */
function windowsSkipped(label: string | undefined, trend: readonly TrendPoint[]): string[] {
  const at = trend.findLastIndex((point) => point.label === label);
  return at < 0 ? [] : trend.slice(at + 1, -1).map((point) => point.label);
}
