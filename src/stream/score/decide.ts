import type { Decision } from '../settings.ts';

/**
 * The decision for a score: the last one that begins at or below it.
 *
 * @param decisions ascending, the first from 0
 * @param millionths the rounded score, so that the written value is compared
 * @returns undefined if there are none
 */
export function decide(decisions: readonly Decision[], millionths: number): string | undefined {
  let found: string | undefined;
  for (const { name, from } of decisions) {
    if (millionths < from) break;
    found = name;
  }
  return found;
}
