import { type Html, html } from './html.ts';
import { decimal, measure, percent } from './numbers.ts';
import type { PageData } from './page-data.ts';
import { type Separation, separationOf } from './separation.ts';
import type { Nouns } from './words.ts';

/** How meaningful the ranking by score is, in a few words. */
export function verdictInWords(separation: Separation): string {
  if (separation.bandsExplain === undefined) return 'All scores are equal, so their ranking means nothing';
  if (separation.basis === 'scores') {
    return {
      none: 'No outcome is known, and the scores themselves hardly differ: their ranking may be chance',
      little: 'No outcome is known, and even if every score is right, the scores barely tell people apart',
      fair: 'No outcome is known; if every score is right, they tell people apart fairly well',
      well: 'No outcome is known; if every score is right, they tell people apart well',
    }[separation.verdict];
  }
  return {
    none: 'The scores do not show who is at risk: their ranking may be chance',
    little: 'The scores barely tell people apart: their ranking is only slightly better than chance',
    fair: 'The scores tell people apart fairly well',
    well: 'The scores tell people apart well',
  }[separation.verdict];
}

/** The same with its numbers; the first sentence stands out. */
export function separationText(data: PageData): Html | undefined {
  const separation = separationOf(data);
  if (separation === undefined) return undefined;
  const { tenths, bandsExplain } = separation;
  return html`<p><b>${verdictInWords(separation)}.</b> ${
    tenths === undefined || bandsExplain === undefined
      ? undefined
      : `The riskiest tenth has a mean score of ${percent(tenths.top)}, the least risky tenth ${percent(tenths.bottom)}: ${decimal((tenths.top - tenths.bottom) * 100, 1)} points apart.`
  } ${bandsExplain === undefined ? undefined : bandNumbers(data, bandsExplain)} ${bandsExplain === undefined ? undefined : aucText(separation, data.job.nouns)}</p>
`;
}

/** What an AUC means, for people who do not know the term. */
function aucText({ auc, interval, basis, label }: Separation, nouns: Nouns): string {
  if (auc === undefined) return '';
  const did = basis === 'outcome' ? 'did' : 'will';
  const pairs = `of two ${nouns.many}, one who ${did} ${nouns.outcome} and one who ${did} not, the first has the higher score in ${Math.round(auc * 100)} of 100 pairs; a coin toss gives 50`;
  if (basis === 'scores') return `Even if every score is exactly right, ${pairs} (AUC ${measure(auc)}, from the scores alone).`;
  const range = interval === undefined ? '' : `, 95% interval ${measure(interval[0])} to ${measure(interval[1])}`;
  return `Measured in ${label}: ${pairs} (AUC ${measure(auc)}${range}).`;
}

function bandNumbers({ bandRules }: PageData, explained: number): string {
  return `The ${bandRules.bounds.length + 1} bands explain ${percent(explained, 0)} of the spread of the scores; the rest lies within the bands.`;
}
