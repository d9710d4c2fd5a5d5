import { dayIn } from './dates.ts';
import { count, decimal, expected, percent } from './numbers.ts';
import type { Evaluated, PageData } from './page-data.ts';
import { believed } from './separation.ts';

/** Standard errors up to which chance alone explains a difference. */
const CHANCE = 2;

/** Whether the number of expected users can be believed, in a sentence or two. */
export function totalInShort(data: PageData): string {
  const known = data.outcome && believed(data.outcome);
  if (known === undefined) return unknownYet(data);
  const { verdict, sentence } = totalText(known, data.job.nouns);
  return `${verdict}. ${sentence}`;
}

/** Why nothing is known, and when it will be. */
export function unknownYet({ outcome, outcomeKnownFrom, job, window }: PageData): string {
  const from =
    outcomeKnownFrom === undefined
      ? ''
      : ` The outcome of ${window.label} is known from ${dayIn(job.zone, outcomeKnownFrom)} on.`;
  if (outcome !== undefined)
    return `not known: outcomes are known only for windows that the model was trained on, which say nothing about new ${job.nouns.many}.${from}`;
  if (outcomeKnownFrom === undefined) return 'not known: the job file does not say where outcomes are found (labels).';
  return `not known yet: no window is old enough.${from}`;
}

/** How the sum of the scores compares with what happened. */
export function totalText(
  known: Evaluated,
  nouns: PageData['job']['nouns'],
): { readonly verdict: string; readonly sentence: string } {
  const { users, positives, meanScore, label } = known;
  const sum = users * meanScore;
  const error = Math.sqrt(sum * (1 - meanScore));
  const difference = sum - positives;
  const close = Math.abs(difference) <= CHANCE * error;
  const size = `${decimal(Math.abs(meanScore - positives / users) * 100, 1)} points`;
  const verdict = close
    ? 'yes, as far as is known'
    : `with care: the scores were too ${difference > 0 ? 'high' : 'low'} by ${size}`;
  const explained = close ? ', a difference that chance alone explains' : ', a larger difference than chance explains';
  return {
    verdict,
    sentence: `In ${label}, the scores expected ${expected(sum)} of ${count(users)} ${nouns.many} (${percent(meanScore)}) to ${nouns.outcome}; ${count(positives)} (${percent(positives / users)}) did${explained}.`,
  };
}
