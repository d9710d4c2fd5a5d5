import { dayIn } from './dates.ts';
import { count, decimal, expected, percent } from './numbers.ts';
import type { Evaluated, PageData } from './page-data.ts';
import { believed } from './separation.ts';

/** Up to this many standard errors, chance alone explains a difference. */
const CHANCE = 2;

/** Whether the number of expected users is reliable, in a sentence or two. */
export function totalInShort(data: PageData): string {
  const known = data.outcome && believed(data.outcome);
  if (known === undefined) return unknownYet(data);
  const { verdict, sentence } = totalText(known, data.job.nouns, othersOf(data, known));
  return `${verdict}. ${sentence}`;
}

/** Evaluated windows other than the one in question, without those that the model was trained on. */
export function othersOf({ outcome }: PageData, known: Evaluated): Evaluated[] {
  return (outcome?.series ?? []).filter((one) => !one.inSample && one.users > 0 && one.label !== known.label);
}

/** Why nothing is known yet, and when it will be. */
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

/** How the sum of the scores compares with the outcomes. */
export function totalText(
  known: Evaluated,
  nouns: PageData['job']['nouns'],
  others: readonly Evaluated[] = [],
): { readonly verdict: string; readonly sentence: string } {
  const { users, positives, meanScore, label } = known;
  const sum = users * meanScore;
  const difference = sum - positives;
  const close = isClose(known);
  const size = `${decimal(Math.abs(meanScore - positives / users) * 100, 1)} points`;
  const verdict = close ? 'yes, so far' : `with care: the scores were too ${difference > 0 ? 'high' : 'low'} by ${size}`;
  const explained = close ? ', a difference that chance alone explains' : ', a larger difference than chance explains';
  return {
    verdict,
    sentence: `In ${label}, the scores expected ${expected(sum)} of ${count(users)} ${nouns.many} (${percent(meanScore)}) to ${nouns.outcome}; ${count(positives)} (${percent(positives / users)}) did${explained}.${othersClose(others)}`,
  };
}

/** Whether chance alone explains the difference between the sum of the scores and the outcomes. */
function isClose({ users, positives, meanScore }: Evaluated): boolean {
  const sum = users * meanScore;
  return Math.abs(sum - positives) <= CHANCE * Math.sqrt(sum * (1 - meanScore));
}

/** What earlier evaluated windows show. @param others without those that the model was trained on */
function othersClose(others: readonly Evaluated[]): string {
  if (others.length === 0) return '';
  const close = others.filter(isClose).length;
  if (close === others.length)
    return ` It was close in ${others.length === 1 ? others[0]?.label : `the ${others.length} windows before`}, too.`;
  return ` It was close in ${close} of ${others.length} windows before.`;
}
