import { dayIn } from './dates.ts';
import { type Html, html } from './html.ts';
import { highestText, liftText } from './lift-words.ts';
import { measure } from './numbers.ts';
import { aucFigure, calibrationFigure, decilesFigure, evaluationCells, evaluationColumns } from './outcome-charts.ts';
import { othersOf, totalText, unknownYet } from './outcome-words.ts';
import type { Evaluated, OutcomeData, PageData } from './page-data.ts';
import { section } from './section.ts';
import { believed } from './separation.ts';
import { table } from './table.ts';
import { capitalized, type Nouns } from './words.ts';

export function outcomeSection(data: PageData): Html {
  const { outcome, job } = data;
  return section({
    id: 'outcome',
    heading: 'Did it come true?',
    body: outcome === undefined ? html`<p>${capitalized(unknownYet(data))}</p>` : known(data, outcome, job.nouns),
  });
}

function known(data: PageData, outcome: OutcomeData, nouns: Nouns): Html {
  const { newest, series } = outcome;
  const judged = believed(outcome);
  const { outcomeKnownFrom, window, job } = data;
  const later =
    outcomeKnownFrom && newest.label !== window.label
      ? ` ${window.label} itself is not evaluated yet; its outcome is known from ${dayIn(job.zone, outcomeKnownFrom)} on.`
      : '';
  const total = judged && totalText(judged, nouns, othersOf(data, judged));
  return html`<p><b>The total:</b> ${total === undefined ? unknownYet(data) : `${total.verdict}. ${total.sentence}`} ${highestText(outcome)}${later}</p>
<p><b>The ranking:</b> ${orderText(judged)} ${liftText(outcome, nouns)}</p>
${newest.inSample ? html`<p><b>In-sample:</b> the model was trained on ${newest.label}, so its figures are too good.</p>` : undefined}
${groupsText(outcome, nouns)}
<div class="grid thirds">${newest.users > 0 ? [decilesFigure(outcome, nouns), calibrationFigure(outcome, nouns)] : undefined}${aucFigure(series, nouns)}</div>
`;
}

function orderText(judged: Evaluated | undefined): string {
  if (judged === undefined) return 'not known either.';
  if (judged.auc === undefined) return `all outcomes of ${judged.label} are equal, so the ranking cannot be judged.`;
  const range = judged.aucInterval
    ? `95% interval ${measure(judged.aucInterval[0])} to ${measure(judged.aucInterval[1])}; `
    : '';
  return `AUC ${measure(judged.auc)} in ${judged.label} (${range}0.5 is chance, 1 is perfect).`;
}

/** Contact changes what happens, so only users who were not contacted show whether the scores were right. */
function groupsText({ groups, newest }: OutcomeData, nouns: Nouns): Html | undefined {
  if (groups.length === 0) return undefined;
  const untreated = groups.some(({ group, evaluated }) => group === 'untreated' && evaluated.users > 0);
  const believe = untreated
    ? 'Believe the untreated ones: contact may have changed what happened to the others.'
    : 'All were contacted, which may have changed what happened, so treat these figures with caution.';
  return html`<p><b>${believe}</b></p>
${table({
  caption: `${capitalized(nouns.many)} of ${newest.label} by whether they were contacted`,
  showCaption: true,
  columns: evaluationColumns('group', nouns),
  rows: groups.map(({ group, evaluated }) =>
    evaluationCells(`${group}${group === 'untreated' ? ' (believe these)' : ''}`, evaluated),
  ),
})}`;
}
