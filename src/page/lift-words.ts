import { wilson } from './interval.ts';
import { decimal, percent } from './numbers.ts';
import { captured } from './outcome-charts.ts';
import type { DecileOutcome, OutcomeData } from './page-data.ts';
import { capitalized, listed, type Nouns } from './words.ts';

/** How a tenth compares with all users of the window. */
type Side = 'above' | 'below' | 'same';

function sideOf({ users, positives }: DecileOutcome, overall: number): Side {
  if (users === 0) return 'same';
  const [low, high] = wilson(positives, users);
  if (low > overall) return 'above';
  return high < overall ? 'below' : 'same';
}

function shareOf({ newest }: OutcomeData): number {
  return newest.positives / newest.users;
}

/**
 * Whether calling the riskiest tenth would have helped, in a sentence; undefined if unknown. A tenth differs from all users if
 * the 95 % interval of its share does not contain theirs.
 */
export function callsInShort(outcome: OutcomeData | undefined): string | undefined {
  const [top] = outcome?.deciles ?? [];
  if (outcome === undefined || top === undefined || top.users === 0 || outcome.newest.users === 0) return undefined;
  const overall = shareOf(outcome);
  const { label } = outcome.newest;
  const numbers = `${percent(top.positives / top.users)} against ${percent(overall)} of all`;
  switch (sideOf(top, overall)) {
    case 'above':
      return `In ${label}, the riskiest tenth was indeed at higher risk: ${numbers}.`;
    case 'below':
      return `In ${label}, the riskiest tenth was at lower risk than the others: ${numbers}.`;
    case 'same':
      return `But in ${label}, calling the riskiest tenth would have been no better than calling at random: ${numbers}.`;
  }
}

/** How many a list of the riskiest tenth reaches, and which tenths stand out. */
export function liftText(outcome: OutcomeData, nouns: Nouns): string {
  const { newest, deciles } = outcome;
  const [top] = deciles;
  if (top === undefined || top.users === 0 || newest.positives === 0) return '';
  const share = top.positives / top.users;
  const overall = shareOf(outcome);
  const calls = percent(top.users / newest.users, 0);
  const reached = percent(captured(deciles, 1) / newest.positives, 0);
  const random = reached === calls ? 'calling at random would, too' : `calling at random would reach ${calls}`;
  return `Of the riskiest tenth, ${percent(share)} did, against ${percent(overall)} of all ${nouns.many} (lift ${decimal(share / overall, 2)}): ${calls} of the calls would have reached ${reached} of those who did; ${random}. ${standOut(deciles, overall)}`;
}

function standOut(deciles: readonly DecileOutcome[], overall: number): string {
  const out = deciles.filter((decile) => sideOf(decile, overall) !== 'same');
  if (out.length === 0) return 'No tenth differs from the average by more than chance.';
  if (out.length > 3) return '';
  const names = out.map((one) => `${tenth(one.decile, deciles.length)} (${percent(one.positives / one.users)})`);
  return `${out.length === 1 ? `Only ${listed(names)}` : capitalized(listed(names))} ${out.length === 1 ? 'differs' : 'differ'} from the average by more than chance.`;
}

function tenth(decile: number, of: number): string {
  if (decile === 1) return 'the riskiest tenth';
  return decile === of ? 'the least risky tenth' : `tenth ${decile}`;
}

/** Whether the highest scores were right, in a sentence; undefined if unknown. */
export function highestText({ newest, calibration }: OutcomeData): string | undefined {
  const top = calibration.toSorted((a, b) => b.meanScore - a.meanScore)[0];
  if (top === undefined || top.users === 0 || newest.inSample) return undefined;
  const [low, high] = wilson(top.positives, top.users);
  const came = percent(top.positives / top.users);
  if (top.meanScore >= low && top.meanScore <= high) return undefined;
  const side = top.meanScore > high ? 'high' : 'low';
  return `The highest scores were too ${side}: they said ${percent(top.meanScore)}, and ${came} came true.`;
}
